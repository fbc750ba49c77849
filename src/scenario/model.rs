use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, Method, StatusCode};
use serde_json::Value as Json;

use super::Value;
use crate::clock::Instant;
use crate::exchange::Pattern;
use crate::expr::{ExprId, Program};
use crate::pack::{OperationId, SchemeId};
use crate::schema::Schema;

/// One scenario file, resolved: nothing in it needs to be looked up any more.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: Arc<str>,
    pub(crate) tags: Vec<String>,
    /// The file as it was named, and the line of its name.
    pub(crate) file: Arc<str>,
    pub(crate) line: usize,
    /// The pack of the head, by its place among those that scenarios are read against.
    pub(crate) pack: usize,
    pub(crate) given: Given,
    /// A run for each; one without a name and values where there is no table.
    pub(crate) rows: Vec<Row>,
    /// Those that are included come first.
    pub(crate) steps: Vec<Step>,
    pub(crate) program: Arc<Program>,
}

/// What the sandbox of a scenario begins with.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Given {
    /// None where it is the server's.
    pub(crate) clock: Option<Instant>,
    pub(crate) ticking: bool,
    pub(crate) seed: Option<u64>,
    pub(crate) options: Vec<(String, Json)>,
}

/// A row of the table of cases.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// What reports call it; the number of the row where it has no name of its own.
    pub(crate) case: Option<Arc<str>>,
    /// The lines of the file that it stands on.
    pub(crate) lines: RangeInclusive<usize>,
    /// `row` of expressions.
    pub(crate) values: Arc<Json>,
}

/// One step, with everything that is said about it.
#[derive(Debug)]
pub(crate) struct Step {
    /// `file:line:column`
    pub(crate) place: Arc<str>,
    /// Its title, else what it does in a few words.
    pub(crate) words: Arc<str>,
    pub(crate) what: What,
    pub(crate) expect: Option<Box<Expect>>,
    pub(crate) keep: Vec<(Arc<str>, Value)>,
}

/// What a step does.
#[derive(Debug)]
pub(crate) enum What {
    Call(Box<Call>),
    /// A call of the control plane, of the scenario's sandbox.
    Ask(Ask),
    Receive(Receive),
    Repeat {
        times: usize,
        steps: Vec<Step>,
    },
    Parallel(Branches),
    /// Only looks.
    Expect,
}

/// A request of the API.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) pack: usize,
    /// None where no operation has this method and path.
    pub(crate) operation: Option<OperationId>,
    pub(crate) method: Method,
    /// A template, or a concrete path; without the pack's name.
    pub(crate) path: Arc<str>,
    pub(crate) parameters: Vec<(Arc<str>, Value)>,
    /// In order; null leaves one out.
    pub(crate) query: Vec<(Arc<str>, Value)>,
    /// Null takes one out.
    pub(crate) headers: Vec<(HeaderName, Value)>,
    /// Values of the credentials that it is made with, each with the scheme that says where it stands.
    pub(crate) credentials: Vec<(SchemeId, Arc<str>)>,
    pub(crate) body: Body,
    /// Laid over a JSON body, in this order.
    pub(crate) change: Vec<(Arc<str>, Value)>,
    pub(crate) remove: Vec<Arc<str>>,
    /// The path is that of the sandbox, and leads to no pack.
    pub(crate) outside: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Body {
    None,
    Json(Value),
    Form(Vec<(Arc<str>, Value)>),
    /// With the media type that it is sent with, unless a header says another one.
    Text(Value, Option<Arc<str>>),
    /// So many bytes.
    Bytes(usize),
    /// These bytes, which may be no text.
    Exact(Bytes),
}

/// What the control plane is asked.
#[derive(Debug)]
pub(crate) enum Ask {
    Advance(Move),
    Clock {
        now: Option<Value>,
        mode: Option<&'static str>,
    },
    Event {
        pack: usize,
        event: Arc<str>,
        input: Value,
        when: Fires,
    },
    /// All rules that hold from then on; empty for none.
    Faults(Vec<Value>),
    Limits(Vec<Value>),
    /// A mapping; none takes all away.
    Stub(Option<Value>),
    Edit(Edit),
    Snapshot(Value),
    Restore(Value),
    Rewind(Value),
    Reset,
    Redeliver(Value),
    /// Any call, by its path below `/_standin`.
    Control {
        method: Method,
        /// With names in braces for parameters.
        path: Arc<str>,
        parameters: Vec<(Arc<str>, Value)>,
        query: Vec<(Arc<str>, Value)>,
        body: Option<Value>,
    },
}

#[derive(Debug)]
pub(crate) enum Move {
    By(Value),
    To(Value),
    Next,
}

/// When an event happens.
#[derive(Debug)]
pub(crate) enum Fires {
    Now,
    After(Value),
    At(Value),
}

/// A record that is put, changed or taken away past the API.
#[derive(Debug)]
pub(crate) struct Edit {
    pub(crate) pack: usize,
    /// POST, PATCH or DELETE.
    pub(crate) method: Method,
    pub(crate) resource: Arc<str>,
    pub(crate) id: Option<Value>,
    pub(crate) fields: Option<Value>,
}

/// A receiver of webhooks, and what it answers.
#[derive(Debug)]
pub(crate) struct Receive {
    pub(crate) name: Arc<str>,
    /// In order; the last goes on.
    pub(crate) answers: Vec<Reply>,
}

/// One answer of a receiver.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) body: Option<Json>,
    /// In real time.
    pub(crate) delay: Option<Duration>,
    /// No answer ever comes.
    pub(crate) hang: bool,
}

#[derive(Debug)]
pub(crate) enum Branches {
    /// The same steps, so many times.
    Copies(usize, Vec<Step>),
    Each(Vec<Vec<Step>>),
}

/// What an answer must be, and what must have happened.
#[derive(Debug, Default)]
pub(crate) struct Expect {
    /// Any of these; empty where nothing is said.
    pub(crate) status: Vec<Status>,
    pub(crate) headers: Vec<(HeaderName, Value)>,
    pub(crate) body: Vec<Content>,
    pub(crate) that: Vec<ExprId>,
    /// As `Standin-Contract` has it.
    pub(crate) contract: Option<Arc<str>>,
    /// The id, as `Standin-Operation` has it.
    pub(crate) operation: Option<Arc<str>>,
    /// No whole answer comes, and why: a name of the client's faults.
    pub(crate) fault: Option<Arc<str>>,
    pub(crate) journal: Vec<(Count, Value)>,
    pub(crate) deliveries: Vec<(Count, Value)>,
    pub(crate) received: Vec<Sent>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Is(u16),
    /// The first digit: `2xx`.
    Class(u16),
    /// What an expression says: a number, or a class as text.
    Made(ExprId),
}

/// How many, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) least: u64,
    pub(crate) most: Option<u64>,
}

/// One thing that is expected of a body. `except` are parts that must be there, with the type that they have in what is
/// compared: a name anywhere, or a pointer.
#[derive(Debug)]
pub(crate) enum Content {
    /// The same keys, order and values as an example.
    Like {
        example: Arc<str>,
        json: Option<Arc<Json>>,
        text: Arc<str>,
        except: Arc<[Except]>,
    },
    /// The same keys, order and types; items of a list are like its first.
    Shape {
        example: Arc<str>,
        json: Arc<Json>,
    },
    Equals {
        value: Value,
        except: Arc<[Except]>,
    },
    /// The values at pointers, in which `*` is any part.
    At(Vec<(Arc<str>, Value)>),
    Absent(Vec<Arc<str>>),
    Text(Value),
    Contains(Vec<Value>),
    Schema {
        name: Arc<str>,
        schema: Box<Schema>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Except {
    Name(Arc<str>),
    Pointer(Arc<str>, Pattern),
}

/// What must have arrived at a receiver of the scenario.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) at: Arc<str>,
    pub(crate) count: Count,
    /// The pack and the name of the webhook that it came of.
    pub(crate) webhook: Option<(usize, Arc<str>)>,
    /// What the receiver answered.
    pub(crate) status: Vec<Status>,
    pub(crate) headers: Vec<(HeaderName, Value)>,
    pub(crate) body: Vec<Content>,
    /// The key with which the signature is made again, as the webhook that the call came of declares it.
    pub(crate) signed: Option<Value>,
    /// `call` is what arrived.
    pub(crate) that: Vec<ExprId>,
}

impl Scenario {
    /// Where a row stands: in the table, else where the scenario does.
    pub(crate) fn line_of(&self, row: usize) -> usize {
        let row = self.rows.get(row).filter(|row| row.case.is_some());
        row.map_or(self.line, |row| *row.lines.start())
    }

    /// The packs that it asks something of.
    pub(crate) fn packs(&self) -> BTreeSet<usize> {
        let mut packs = BTreeSet::from([self.pack]);
        packs_of(&self.steps, &mut packs);
        packs
    }
}

fn packs_of(steps: &[Step], packs: &mut BTreeSet<usize>) {
    for step in steps {
        match &step.what {
            What::Call(call) => {
                packs.insert(call.pack);
            }
            What::Ask(Ask::Event { pack, .. } | Ask::Edit(Edit { pack, .. })) => {
                packs.insert(*pack);
            }
            What::Repeat { steps, .. } | What::Parallel(Branches::Copies(_, steps)) => packs_of(steps, packs),
            What::Parallel(Branches::Each(lines)) => lines.iter().for_each(|steps| packs_of(steps, packs)),
            What::Ask(_) | What::Receive(_) | What::Expect => {}
        }
    }
}

impl Count {
    pub(crate) const SOME: Count = Count { least: 1, most: None };

    pub(crate) fn holds(self, count: u64) -> bool {
        self.least <= count && self.most.is_none_or(|most| count <= most)
    }

    /// `exactly 2`, `1 to 3`, `at least 1`
    pub(crate) fn words(self) -> String {
        match self.most {
            Some(most) if most == self.least => format!("exactly {most}"),
            Some(most) => format!("{} to {most}", self.least),
            None => format!("at least {}", self.least),
        }
    }
}

impl Status {
    /// Whether it is, or can be, this one.
    pub(crate) fn holds(self, status: u16) -> bool {
        match self {
            Status::Is(code) => code == status,
            Status::Class(digit) => digit == status / 100,
            Status::Made(_) => true,
        }
    }

    /// Reads a number from 100 to 599, or a class.
    pub(crate) fn read(written: &Json) -> Option<Self> {
        let code = |code: u64| u16::try_from(code).ok().filter(|code| (100..600).contains(code)).map(Status::Is);
        match written {
            Json::Number(number) => code(number.as_u64()?),
            Json::String(text) => match text.as_bytes() {
                [digit @ b'1'..=b'5', b'x', b'x'] => Some(Status::Class(u16::from(digit - b'0'))),
                _ => None,
            },
            _ => None,
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Status::Is(code) => write!(f, "{code}"),
            Status::Class(digit) => write!(f, "{digit}xx"),
            Status::Made(_) => f.write_str("what an expression says"),
        }
    }
}
