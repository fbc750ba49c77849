//! The files of a pack exactly as written, with the place of every value.
//!
//! The only user of the YAML crate. Must not know what the names in a pack refer to: that is `resolve`'s part.
//! Start with [`Node::parse`], then [`Fields`].

mod example;
mod fields;
mod manifest;
mod node;
mod operation;
mod option;
mod payload;
mod template;
mod told;
mod webhook;

use crate::diagnostic::{Diagnostic, Location};

pub(crate) use example::{ExampleSource, GivenSource, Side, payload_of};
pub(crate) use fields::{Fields, prose, wrong_kind};
pub(crate) use manifest::{
    CredentialSource, DecodeSource, ErrorSource, FieldSource, LimitSource, Manifest, ResourceSource, RowSource,
    SchemeSource, SeedSource,
};
pub(crate) use node::{Key, Node, NodeKind};
pub(crate) use operation::{
    AuthSource, BodySource, EffectSource, EffectVerb, EventSource, GuardSource, ListSource, LoadSource,
    OperationSource, ParameterSource,
};
pub(crate) use option::{LineSource, OptionSource, WantedSource};
pub(crate) use payload::{CauseSource, PayloadSide};
pub(crate) use template::{ArmSource, ChoiceSource, LikeSource, ReplySource, ShownSource, Template};
pub(crate) use told::told;
pub(crate) use webhook::{ScheduleSource, SignSource, TriggerSource, WebhookSource};

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spanned<T> {
    pub(crate) value: T,
    pub(crate) at: Location,
}

/// The mistakes found so far, in any file.
pub(crate) type Diagnostics = Vec<Diagnostic>;
