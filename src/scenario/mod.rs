//! Scenarios: stories that testers tell, as files, and what comes of them.
//!
//! A file is read against the packs that it is about (`read`), so that everything that can be wrong with it is told with its
//! place before anything runs. A [`Scenario`] is run against a server over HTTP (`run`), its own or another, in a sandbox of
//! its own. Must not know: how answers are made, or which API is played. Start with [`Scenario`].

mod expect;
mod model;
mod outcome;
mod read;
pub(crate) mod report;
mod run;
mod value;

pub(crate) use expect::{Answer, Arrived, From, RECEIVED, answer, nearest, received};
pub(crate) use model::{
    Ask, Body, Branches, Call, Content, Count, Edit, Except, Expect, Fires, Given, Move, Receive, Reply, Row, Scenario,
    Sent, Status, Step, What,
};
pub(crate) use outcome::{Failure, Miss, Nearest, Outcome, Run, Shown, Told, ToldStep};
pub(crate) use read::{Ground, Read, Source, read};
pub(crate) use run::{Plan, Ran, Turn, run};
pub(crate) use value::{Known, Value};
