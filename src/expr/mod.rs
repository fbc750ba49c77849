//! Expressions and page templates: checked against the names in scope when a pack is loaded, evaluated per request.
//!
//! The only user of `minijinja`. Must not know packs, resources or worlds: names come as [`Names`] at load and as a
//! [`Scope`] at run time. Start with [`check`] (load) and [`Program`] (run).
//!
//! Expressions are pure. Chance comes from the [`Draws`] of the scope, time from the `now` that the scope holds;
//! instants are integers (microseconds) inside.

mod check;
mod choices;
mod draws;
mod fault;
mod functions;
mod kind;
mod length;
mod pages;
mod passed;
mod plan;
mod program;
mod scope;
mod tables;
mod value;

pub(crate) use check::{check, check_template, mentioned};
pub(crate) use draws::Draws;
pub(crate) use fault::Fault;
pub(crate) use functions::Keys;
pub(crate) use kind::{Kind, Names, ObjectKind};
pub(crate) use pages::Pages;
pub(crate) use passed::passed_on;
pub(crate) use program::{EvalFault, ExprId, Program, Sources, TemplateId};
pub(crate) use scope::Scope;
pub(crate) use tables::is_word;
pub(crate) use value::{Source, Value};
