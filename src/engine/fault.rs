//! Injected faults: where a processor is made to crash.

use crate::checkpoint::CrashPoint;

/// A crash that waits for its moment: the first time that a micro-batch which reaches up to `record` is at `point`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Armed {
    /// Where in the micro-batch.
    pub point: CrashPoint,
    /// 0-based record number in delivery order.
    pub record: u64,
}

/// Decides at each crash point whether the processor ends there.
#[derive(Debug, Clone, Default)]
pub struct Injector {
    armed: Vec<Armed>,
}

impl Injector {
    /// With one crash waiting.
    pub fn with(armed: Armed) -> Self {
        Injector { armed: vec![armed] }
    }

    /// Adds a crash.
    pub fn arm(&mut self, armed: Armed) {
        self.armed.push(armed);
    }

    /// Whether the processor ends here. `end` is one past the last record of the micro-batch at hand. A crash that
    /// came up is spent.
    pub fn reached(&mut self, point: CrashPoint, end: u64) -> bool {
        let found = self.armed.iter().position(|armed| armed.point == point && armed.record < end);
        found.map(|index| self.armed.remove(index)).is_some()
    }

    /// Whether a crash still waits.
    pub fn is_armed(&self) -> bool {
        !self.armed.is_empty()
    }

    /// The crashes that still wait, for the next incarnation.
    pub fn take(&mut self) -> Vec<Armed> {
        std::mem::take(&mut self.armed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_comes_up_once_and_not_early() {
        let mut injector = Injector::with(Armed { point: CrashPoint::AfterEmit, record: 10 });
        assert!(!injector.reached(CrashPoint::AfterEmit, 10));
        assert!(!injector.reached(CrashPoint::BeforeApply, 20));
        assert!(injector.reached(CrashPoint::AfterEmit, 11));
        assert!(!injector.reached(CrashPoint::AfterEmit, 11) && !injector.is_armed());
    }
}
