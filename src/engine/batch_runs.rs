//! Batch runs of a lane: when they start, what their reports mean.

use std::sync::Arc;

use super::{
    jobs::{BatchJob, Notice, Publication, refold},
    lane::Lane,
    protocol::{Fact, TICKS_PER_SECOND},
};
use crate::{
    domain::{Offsets, RangeCounts},
    processing::BatchProcessor,
};

/// Ticks between the crash of a batch run and its being run again.
const RERUN_AFTER_TICKS: u64 = TICKS_PER_SECOND;

impl Lane {
    pub(super) fn start_batch_when_due(&mut self) {
        if self.batch.slot.is_running() {
            return;
        }
        if let Some((cut, at)) = self.batch.rerun {
            if self.tick >= at {
                self.batch.rerun = None;
                self.start_batch(cut);
            }
            return;
        }
        let every = self.plan.settings.batch_every_records;
        let is_all = self.index.is_last() && self.arrived == self.index.len();
        if every > 0 && self.arrived >= self.batch.next_at {
            self.start_batch(self.arrived / every * every);
        } else if is_all && self.batch.covers < self.arrived {
            self.start_batch(self.arrived);
        }
    }

    pub(super) fn start_batch(&mut self, cut: u64) {
        let every = self.plan.settings.batch_every_records.max(1);
        self.batch.next_at = self.batch.next_at.max((cut / every + 1) * every);
        if cut <= self.batch.covers {
            return;
        }
        let vector = self.index.offsets_at(cut);
        let job =
            BatchJob::new(Arc::clone(&self.index), BatchProcessor::new(self.plan.rules, vector.clone()));
        if let Err(error) = self.batch.slot.start(job, self.plan.driver) {
            return self.trouble("start a batch run", error.to_string());
        }
        self.batch.cut = cut;
        self.batch.done = 0;
        self.batch.credit = 0;
        self.stream.notices.push(Notice::CutStarted(vector.clone()));
        self.lambda.cut_started(&vector);
        self.happened(Fact::BatchStarted { cut });
    }

    pub(super) fn take_batch_report(&mut self) {
        if !self.batch.slot.is_running() {
            return;
        }
        let Some(report) = self.batch.slot.finish() else {
            self.trouble("finish the batch run", "it panicked; this is a bug of this program".to_owned());
            return self.batch_ended(self.batch.done);
        };
        self.batch.done = report.done;
        self.batch.reads += report.read;
        self.batch.micros += report.micros;
        self.batch.credit = self.batch.credit.saturating_sub(report.read * TICKS_PER_SECOND);
        if let Some(why) = report.failed {
            self.trouble("finish the batch run", why);
            self.batch_ended(report.done);
        } else if report.crashed {
            let spent = self.batch.armed.iter().position(|&record| Some(record) == report.crashed_at);
            spent.map(|spent| self.batch.armed.swap_remove(spent));
            self.batch_ended(report.done);
        } else if let Some(published) = report.published {
            self.publish(published);
        }
    }

    /// A run that ended without publishing is run again with the same cut: a failed job is not repaired.
    fn batch_ended(&mut self, done: u64) {
        self.batch.rerun = Some((self.batch.cut, self.tick + RERUN_AFTER_TICKS));
        self.happened(Fact::BatchCrashed { cut: self.batch.cut, done });
    }

    fn publish(&mut self, published: Publication) {
        let Publication { view, users } = published;
        let cut = view.cut.total();
        self.stream.notices.push(Notice::Published(view.cut.clone()));
        let late = self.lambda.speed().late.total();
        let (uniques, index) = (self.plan.settings.uniques, Arc::clone(&self.index));
        let refold = |from: &Offsets, effects: &[RangeCounts]| refold(&index, uniques, from, effects);
        self.lambda.publish_counted(Arc::new(view), users, index.users(), refold);
        let fingerprint = self.lambda.batch_fingerprint(self.index.keys(), self.index.users());
        self.check_publication(cut, fingerprint);
        self.stream.beside.clip_below(cut);
        self.batch.runs += 1;
        self.batch.covers = cut;
        self.batch.published_at_tick = self.tick;
        let late_counted = late - self.lambda.speed().late.total();
        self.happened(Fact::BatchPublished { cut, fingerprint: fingerprint.to_string(), late_counted });
    }
}
