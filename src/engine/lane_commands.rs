//! What a lane is told to do: by a person, by its plan, or again by an earlier playing of the same run.

use super::{
    fault::Armed,
    jobs::Notice,
    journal::Entry,
    lane::Lane,
    lane_sides::StreamPhase,
    protocol::{CrashTarget, CrashWhen, LaneCommand, Tick},
    scenario::{MOST_RECORDS, When},
    worker::Pick,
};
use crate::checkpoint::CrashPoint;

impl Lane {
    /// Carries a command out at the current tick; whether it did. Commands that make no sense now are dropped without a
    /// trace.
    pub fn command(&mut self, command: LaneCommand) -> bool {
        if self.stream.phase == StreamPhase::Ready {
            self.start();
        }
        // What was done at this very tick in an earlier playing came first then, and does so now.
        self.carry_out_repeated();
        !self.finished && self.carry_out(command)
    }

    fn carry_out(&mut self, command: LaneCommand) -> bool {
        if let LaneCommand::Kappa(command) = command {
            return self.kappa_command(command);
        }
        if !self.makes_sense(command) {
            return false;
        }
        self.carried_out.push((self.tick, command));
        self.journal.append(Tick(self.tick), self.plan.id, &Entry::Command { command });
        match command {
            LaneCommand::SetRate(rate) => {
                self.rate = rate.clamp(1, MOST_RECORDS);
                self.history.rate_changed(self.tick, self.arrived);
            }
            LaneCommand::Crash { target, when: CrashWhen::Now } => self.crash_now(target),
            LaneCommand::Crash { target, when: CrashWhen::At { point, record } } => {
                self.arm(target, Armed { point, record });
            }
            LaneCommand::Restore(id) => {
                let pick = id.map_or(Pick::Newest, |id| Pick::Number(id.0));
                self.restore(pick);
            }
            LaneCommand::RestoreFromStart => self.restore(Pick::FromStart),
            LaneCommand::Checkpoint => self.stream.notices.push(Notice::Checkpoint),
            LaneCommand::BatchNow => self.start_batch(self.arrived),
            LaneCommand::BatchAt(cut) => self.start_batch(cut.min(self.arrived)),
            LaneCommand::Kappa(_) => {}
        }
        true
    }

    fn makes_sense(&self, command: LaneCommand) -> bool {
        let alive = self.stream.slot.is_running();
        let batch_running = self.batch.slot.is_running();
        match command {
            LaneCommand::SetRate(rate) => rate != self.rate,
            LaneCommand::Crash { when: CrashWhen::At { .. }, .. } | LaneCommand::Kappa(_) => true,
            LaneCommand::Crash { target, when: CrashWhen::Now } => match target {
                CrashTarget::Stream => alive,
                CrashTarget::Batch => batch_running,
                CrashTarget::Both => alive || batch_running,
            },
            LaneCommand::Restore(_) | LaneCommand::RestoreFromStart => !alive,
            LaneCommand::Checkpoint => alive,
            LaneCommand::BatchNow => !batch_running && self.arrived > self.batch.covers,
            LaneCommand::BatchAt(cut) => {
                !batch_running && cut > self.batch.covers && self.arrived > self.batch.covers
            }
        }
    }

    fn arm(&mut self, target: CrashTarget, armed: Armed) {
        if target != CrashTarget::Batch {
            self.stream.armed.push(armed);
            self.stream.notices.push(Notice::Arm(armed));
        }
        if target != CrashTarget::Stream {
            self.batch.armed.push(armed.record);
        }
    }

    fn crash_now(&mut self, target: CrashTarget) {
        if target != CrashTarget::Batch && self.stream.slot.is_running() {
            self.stream_crashed(CrashPoint::BeforeApply, self.stream.number);
        }
        if target != CrashTarget::Stream && self.batch.slot.is_running() {
            self.batch.crash_asked = true;
        }
    }

    /// What a person did at this tick, then commands of the plan whose moment has come, in the order of the plan.
    pub(super) fn carry_out_due(&mut self) {
        self.carry_out_repeated();
        while let Some(next) = self.planned.front().copied() {
            let is_due = match next.at {
                When::Tick(tick) => self.tick >= tick,
                When::Position(record) => self.stream.number >= record,
                When::BatchCovers(records) => self.batch.covers >= records,
                When::TicksAfterCrash(ticks) => {
                    matches!(self.stream.phase, StreamPhase::Crashed { .. })
                        && self.tick >= self.stream.crashed_at_tick + ticks
                }
                When::Kappa(moment) => self.kappa_is_due(moment),
            };
            if !is_due {
                return;
            }
            self.planned.pop_front();
            self.carry_out(next.command);
        }
    }

    fn carry_out_repeated(&mut self) {
        while let Some((_, command)) = self.repeated.pop_front_if(|(tick, _)| *tick <= self.tick) {
            self.carry_out(command);
        }
    }
}
