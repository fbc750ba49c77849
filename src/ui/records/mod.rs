//! `/records`: what the sandbox keeps, and what becomes of it.
//!
//! [`list`] shows many records, [`record`] one, [`edit`] changes them. [`kind`] is what is known of a resource, [`change`]
//! what an entry of the log did.

mod change;
mod edit;
mod kind;
mod list;
mod record;

pub(super) use change::{changes, place};
pub(super) use edit::{create, delete, form, patch, put};
pub(super) use kind::Kind;
pub(super) use list::{list, resources};
pub(super) use record::show;
