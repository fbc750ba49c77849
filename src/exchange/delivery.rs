use std::time::Duration;

use bytes::Bytes;

/// How an answer gets to its client, where that is not at once and whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// In real time, before the first byte.
    pub(crate) delay: Duration,
    pub(crate) manner: Manner,
}

/// What the wire does to an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Manner {
    #[default]
    Whole,
    /// The body comes in so many pieces, evenly over a real time.
    Dribble { pieces: u32, over: Duration },
    /// The head promises the whole body, half of it comes, and the connection ends.
    Truncated,
    /// After the head comes a chunk that is none, and the connection ends.
    Malformed,
    /// These bytes come in place of an answer, and the connection ends.
    Garbage(Bytes),
    /// The connection ends without a byte.
    Empty,
    /// The connection is reset.
    Reset,
}

/// The longest delay, so that no rule can hold a connection for ever.
pub(crate) const LONGEST_DELAY: Duration = Duration::from_secs(600);

/// The most pieces that a body is dribbled in.
pub(crate) const MOST_PIECES: u32 = 1000;

impl Delivery {
    /// Every word for what is done to an answer.
    pub(crate) const WORDS: [&str; 7] =
        ["delay", "dribble", "truncated-body", "malformed-chunk", "random-data", "empty-response", "connection-reset"];

    /// The word for what is done to the answer; of a late one that is something else too, what else it is.
    pub(crate) fn word(&self) -> &'static str {
        match &self.manner {
            Manner::Whole => "delay",
            Manner::Dribble { .. } => "dribble",
            manner => manner.fault().unwrap_or("delay"),
        }
    }
}

/// A time in whole milliseconds.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Microseconds as milliseconds. They fit into a float for centuries.
pub(crate) fn in_millis(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

impl Manner {
    /// The word for what goes wrong on the wire; none where the whole answer comes.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        match self {
            Manner::Whole | Manner::Dribble { .. } => None,
            Manner::Truncated => Some("truncated-body"),
            Manner::Malformed => Some("malformed-chunk"),
            Manner::Garbage(_) => Some("random-data"),
            Manner::Empty => Some("empty-response"),
            Manner::Reset => Some("connection-reset"),
        }
    }
}
