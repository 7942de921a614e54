//! Threads for questions that take time: files have to be read, or all records looked at. Run time goes on meanwhile.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use crossbeam_channel::{Sender, bounded};

/// Questions that can wait. The window asks for few at a time; one that asks for more is told so.
const WAITING: usize = 64;

type Work = Box<dyn FnOnce() + Send>;

/// How long work takes at most, about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// A walk through the records.
    Walk,
    /// Seconds: nothing that a person clicks on may wait behind it.
    Long,
}

/// The threads `answers` and `answers-long`, each started with its first question. Dropped, they end after the question
/// that they are at; those that wait behind it are not answered.
#[derive(Debug, Default)]
pub(super) struct Answerer {
    walks: Option<Running>,
    long: Option<Running>,
}

#[derive(Debug)]
struct Running {
    queue: Option<Sender<Work>>,
    /// Nobody waits for answers any more.
    closed: Arc<AtomicBool>,
    handle: Option<thread::JoinHandle<()>>,
}

/// Why a question is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotTaken {
    #[error("too many questions wait for an answer; ask again")]
    TooMany,
    #[error("cannot start the thread that answers: {0}")]
    Thread(#[from] io::Error),
}

impl Answerer {
    /// Queues work; never waits.
    pub fn take(&mut self, effort: Effort, work: impl FnOnce() + Send + 'static) -> Result<(), NotTaken> {
        let (running, name) = match effort {
            Effort::Walk => (&mut self.walks, "answers"),
            Effort::Long => (&mut self.long, "answers-long"),
        };
        let running = match running {
            Some(running) => running,
            none => none.insert(start(name)?),
        };
        let queue = running.queue.as_ref().ok_or(NotTaken::TooMany)?;
        queue.try_send(Box::new(work)).map_err(|_| NotTaken::TooMany)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
        self.queue.take();
        if let Some(handle) = self.handle.take() {
            let _panicked = handle.join();
        }
    }
}

fn start(name: &str) -> io::Result<Running> {
    let (queue, inbox) = bounded::<Work>(WAITING);
    let closed = Arc::new(AtomicBool::new(false));
    let is_closed = Arc::clone(&closed);
    let handle = thread::Builder::new().name(name.to_owned()).spawn(move || {
        for work in inbox {
            if is_closed.load(Ordering::Relaxed) {
                return;
            }
            work();
        }
    })?;
    Ok(Running { queue: Some(queue), closed, handle: Some(handle) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_answered_in_order_and_more_than_can_wait_are_refused() {
        let (told, answers) = bounded(2 * WAITING);
        let (go, wait) = bounded::<()>(0);
        let mut answerer = Answerer::default();
        answerer.take(Effort::Walk, move || wait.recv().unwrap()).unwrap();
        let mut taken = 0_usize;
        let refused = loop {
            let told = told.clone();
            match answerer.take(Effort::Walk, move || told.send(taken).unwrap()) {
                Ok(()) => taken += 1,
                Err(refused) => break refused,
            }
        };
        assert!(matches!(refused, NotTaken::TooMany));
        // The first may still have been in the queue when it was counted.
        assert!((WAITING - 1..=WAITING).contains(&taken));
        go.send(()).unwrap();
        let all: Vec<usize> = answers.iter().take(taken).collect();
        assert_eq!(all, (0..taken).collect::<Vec<_>>());
    }

    #[test]
    fn the_end_waits_for_one_question_and_not_for_those_behind_it() {
        let (told, answers) = bounded(2 * WAITING);
        let mut answerer = Answerer::default();
        let first = told.clone();
        answerer.take(Effort::Walk, move || first.send(0).unwrap()).unwrap();
        let closed = Arc::clone(&answerer.walks.as_ref().unwrap().closed);
        let long = told.clone();
        let question = move || {
            while !closed.load(Ordering::Relaxed) {
                thread::yield_now();
            }
            long.send(1).unwrap();
        };
        answerer.take(Effort::Walk, question).unwrap();
        for number in 2..WAITING {
            let told = told.clone();
            answerer.take(Effort::Walk, move || told.send(number).unwrap()).unwrap();
        }
        drop((told, answerer));
        let all: Vec<usize> = answers.iter().collect();
        // The end may come before the long question was begun.
        assert!(all == [0, 1] || all == [0] || all.is_empty(), "{all:?}");
    }
}
