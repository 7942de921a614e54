//! Inline and threaded drivers: one code path, two ways of calling it.
//!
//! A superstep begins every worker, then takes their reports in worker order. Inline, beginning is doing; threaded, each
//! worker has a named thread of its own that ends, and drops its memory, with its last report.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::jobs::Job;

/// How workers are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Driver {
    /// On the caller's thread.
    #[default]
    Inline,
    /// Each on a named thread.
    Threads,
}

/// A place for one worker; empty after its last report.
pub struct Slot<J: Job> {
    name: &'static str,
    inside: Inside<J>,
}

enum Inside<J: Job> {
    Empty,
    Inline {
        job: Box<J>,
        report: Option<J::Report>,
    },
    Thread {
        orders: Option<Sender<J::Order>>,
        reports: Receiver<J::Report>,
        handle: Option<thread::JoinHandle<()>>,
    },
}

impl<J: Job> Slot<J> {
    /// An empty place for a worker called `name` (also its thread's name).
    pub fn new(name: &'static str) -> Self {
        Slot { name, inside: Inside::Empty }
    }

    /// Whether a worker is there.
    pub fn is_running(&self) -> bool {
        !matches!(self.inside, Inside::Empty)
    }

    /// Puts a worker in; one that was there is ended first.
    pub fn start(&mut self, job: J, driver: Driver) -> io::Result<()> {
        self.end();
        self.inside = match driver {
            Driver::Inline => Inside::Inline { job: Box::new(job), report: None },
            Driver::Threads => spawn(self.name, job)?,
        };
        Ok(())
    }

    /// Hands the worker its order for this superstep.
    pub fn begin(&mut self, order: J::Order) {
        match &mut self.inside {
            Inside::Empty => {}
            // A job that panicked is never looked at again: `finish` drops it.
            Inside::Inline { job, report } => {
                *report = catch_unwind(AssertUnwindSafe(|| job.step(order))).ok();
            }
            Inside::Thread { orders, .. } => {
                if let Some(orders) = orders {
                    // A worker that panicked has no receiver any more; `finish` will tell.
                    let _gone = orders.send(order);
                }
            }
        }
    }

    /// Takes the worker's report on the order begun. `None` where there is no worker, or where it panicked.
    pub fn finish(&mut self) -> Option<J::Report> {
        let report = match &mut self.inside {
            Inside::Empty => None,
            Inside::Inline { report, .. } => report.take(),
            Inside::Thread { reports, .. } => reports.recv().ok(),
        };
        if report.as_ref().is_none_or(J::is_last) {
            self.end();
        }
        report
    }

    /// Ends the worker, if one is there: its memory is gone when this returns.
    pub fn end(&mut self) {
        if let Inside::Thread { orders, handle, .. } = &mut self.inside {
            orders.take();
            if let Some(handle) = handle.take() {
                // A panic was already reported by the missing report.
                let _panicked = handle.join();
            }
        }
        self.inside = Inside::Empty;
    }
}

impl<J: Job> Drop for Slot<J> {
    fn drop(&mut self) {
        self.end();
    }
}

impl<J: Job> std::fmt::Debug for Slot<J> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot")
            .field("name", &self.name)
            .field("is_running", &self.is_running())
            .finish_non_exhaustive()
    }
}

fn spawn<J: Job>(name: &str, mut job: J) -> io::Result<Inside<J>> {
    let (orders, inbox) = bounded::<J::Order>(1);
    let (outbox, reports) = bounded::<J::Report>(1);
    let handle = thread::Builder::new().name(name.to_owned()).spawn(move || {
        for order in inbox {
            let report = job.step(order);
            let is_last = J::is_last(&report);
            if outbox.send(report).is_err() || is_last {
                return;
            }
        }
    })?;
    Ok(Inside::Thread { orders: Some(orders), reports, handle: Some(handle) })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counter(u64);

    impl Job for Counter {
        type Order = u64;
        type Report = u64;

        fn step(&mut self, order: u64) -> u64 {
            self.0 += order;
            self.0
        }

        fn is_last(report: &u64) -> bool {
            *report >= 10
        }
    }

    #[test]
    fn both_drivers_do_the_same_and_end_with_the_last_report() {
        for driver in [Driver::Inline, Driver::Threads] {
            let mut slot = Slot::new("counter");
            slot.start(Counter(0), driver).unwrap();
            let mut seen = Vec::new();
            while slot.is_running() {
                slot.begin(4);
                seen.push(slot.finish().unwrap());
            }
            assert_eq!(seen, [4, 8, 12], "{driver:?}");
            slot.begin(4);
            assert_eq!(slot.finish(), None);
        }
    }

    struct Broken;

    impl Job for Broken {
        type Order = ();
        type Report = ();

        fn step(&mut self, (): ()) {
            panic!("on purpose");
        }

        fn is_last((): &()) -> bool {
            false
        }
    }

    #[test]
    fn a_panic_ends_the_worker_and_nothing_else() {
        for driver in [Driver::Inline, Driver::Threads] {
            let mut slot = Slot::new("broken");
            slot.start(Broken, driver).unwrap();
            slot.begin(());
            assert!(slot.finish().is_none() && !slot.is_running(), "{driver:?}");
        }
    }
}
