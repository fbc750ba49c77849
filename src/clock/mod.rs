//! Virtual time: instants, spans, a sandbox's clock, and how instants are written.
//!
//! Must not know: what the real time is. The edge hands in a reading of a monotonic counter ([`Real`]).
//! Start with [`Clock`].

mod format;
mod instant;

pub(crate) use format::Format;
pub(crate) use instant::{Instant, Span};

/// A reading of a monotonic real-time counter in microseconds. Its zero means nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Real(pub(crate) i64);

/// Whether virtual time moves by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As fast as real time.
    Ticking,
    /// Only when told.
    Frozen,
}

impl Mode {
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Mode::Ticking, Mode::Frozen].into_iter().find(|mode| mode.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Mode::Ticking => "ticking",
            Mode::Frozen => "frozen",
        }
    }
}

/// A sandbox's time: an instant, and since when real time is added to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clock {
    at: Instant,
    since: Real,
    mode: Mode,
}

impl Clock {
    pub(crate) fn new(at: Instant, mode: Mode, real: Real) -> Self {
        Clock { at, since: real, mode }
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    pub(crate) fn now(&self, real: Real) -> Instant {
        match self.mode {
            Mode::Frozen => self.at,
            Mode::Ticking => self.at.saturating_add(Span::from_micros(real.0.saturating_sub(self.since.0).max(0))),
        }
    }

    /// The same clock, standing at `at` or going on from it, in `mode`.
    pub(crate) fn set(&mut self, at: Instant, mode: Mode, real: Real) {
        *self = Clock::new(at, mode, real);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticking_clock_adds_real_time_and_a_frozen_one_does_not() {
        let start = Instant::parse("2024-10-01T17:15:12Z").unwrap();
        let mut clock = Clock::new(start, Mode::Ticking, Real(1_000));
        assert_eq!(clock.now(Real(1_500)), start.saturating_add(Span::from_micros(500)));
        assert_eq!(clock.now(Real(0)), start, "a counter that steps back does not");
        clock.set(start, Mode::Frozen, Real(2_000));
        assert_eq!(clock.now(Real(9_000)), start);
    }
}
