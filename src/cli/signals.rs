//! SIGINT and SIGTERM: the first asks for an orderly end, the second ends the process at once.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};

use super::CliError;

/// A signal that asked for the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    Interrupt,
    Terminate,
}

impl Stop {
    const ALL: [Stop; 2] = [Stop::Interrupt, Stop::Terminate];

    pub fn name(self) -> &'static str {
        match self {
            Stop::Interrupt => "SIGINT",
            Stop::Terminate => "SIGTERM",
        }
    }

    /// 128 and the number of the signal.
    pub fn exit_code(self) -> u8 {
        match self {
            Stop::Interrupt => 130,
            Stop::Terminate => 143,
        }
    }

    fn number(self) -> i32 {
        match self {
            Stop::Interrupt => SIGINT,
            Stop::Terminate => SIGTERM,
        }
    }
}

/// Watches for signals from now on.
#[derive(Debug)]
pub(super) struct Signals {
    /// Exit code of the last signal; 0 before any.
    received: Arc<AtomicUsize>,
}

impl Signals {
    pub fn watch() -> Result<Signals, CliError> {
        let received = Arc::new(AtomicUsize::new(0));
        let again = Arc::new(AtomicBool::new(false));
        for stop in Stop::ALL {
            let (number, code) = (stop.number(), stop.exit_code());
            // In this order: the first signal finds the shutdown not armed, and arms it.
            flag::register_conditional_shutdown(number, i32::from(code), Arc::clone(&again))
                .and_then(|_| flag::register(number, Arc::clone(&again)))
                .and_then(|_| flag::register_usize(number, Arc::clone(&received), usize::from(code)))
                .map_err(CliError::Signals)?;
        }
        Ok(Signals { received })
    }

    pub fn received(&self) -> Option<Stop> {
        let code = self.received.load(Ordering::SeqCst);
        Stop::ALL.into_iter().find(|stop| usize::from(stop.exit_code()) == code)
    }
}
