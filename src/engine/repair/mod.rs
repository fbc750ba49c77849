//! What a request whose body was refused was probably meant to be: the nearest documented example, and the JSON Patch
//! (RFC 6902) after which its body fits.
//!
//! It is worked out when somebody reads the entry, never while a request is answered, and within bounds, because it is
//! the client who chooses the body. A patch is given only when the patched body has been found to fit. Start with
//! [`repair`]; `ways.rs` has what can be done about one violation.

mod nearest;
mod values;
mod ways;

use json_patch::{Patch, PatchOperation};
use serde_json::{Value as Json, json};

use self::nearest::Known;
use self::ways::Case;
use super::{Rules, input};
use crate::exchange::{Body, parse_json};
use crate::journal::{Exchanged, Stage, Verdict};
use crate::pack::{BodyRule, Given, Operation, Options, Pack};
use crate::schema::{Place, Violation};

/// The most bytes that a body may have to be repaired.
const MOST_BYTES: usize = 64 << 10;
/// The most bytes that are held against the schema, over all attempts.
const MOST_CHECKED: usize = 4 << 20;
/// The most attempts, however small the body is.
const MOST_CHECKS: usize = 240;
/// The most violations that are mended one by one. Where there are more, another body was meant.
const MOST_VIOLATIONS: usize = 40;
/// The most operations that a patch has: a longer one is not worth reading.
const MOST_OPERATIONS: usize = 64;

/// What a refused body was probably meant to be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Repair {
    /// The file of the documented request that is nearest; none where the documentation shows none.
    pub(crate) example: Option<String>,
    /// The operations of the patch, for the body as it was sent; none where none was found.
    pub(crate) patch: Option<Json>,
}

/// The repair of an exchange that was refused because of its body's schema; none for any other. The options are those of
/// the sandbox.
pub(crate) fn repair(pack: &Pack, options: &Options, exchanged: &Exchanged, rules: Rules) -> Option<Repair> {
    let refused = |step: crate::journal::Step<'_>| step.stage == Stage::BodySchema && step.verdict == Verdict::Refused;
    if !exchanged.trace.steps().any(refused) {
        return None;
    }
    let index = pack.operations.iter().position(|known| Some(&known.name) == exchanged.operation.as_ref())?;
    let operation = &pack.operations[index];
    let rule = operation.body.as_ref()?;
    let sent = sent(&exchanged.request.body, rule, rules);
    let size = exchanged.request.body.bytes().len().max(1);
    let mut judge = Judge { pack, options, operation, rule, left: (MOST_CHECKED / size).min(MOST_CHECKS) };
    let known = nearest::examples(&mut judge, index, sent.as_ref());
    let patch = sent.and_then(|sent| patch(&mut judge, &known, &sent));
    Some(Repair {
        example: known.into_iter().next().map(|nearest| nearest.path),
        patch: patch.map(|operations| json!(Patch(operations))),
    })
}

/// The body as JSON, where it is small enough.
fn sent(body: &Body, rule: &BodyRule, rules: Rules) -> Option<Json> {
    let bytes = body.bytes();
    match rule.form {
        _ if bytes.len() > MOST_BYTES => None,
        true => input::form(bytes).ok(),
        false => parse_json(bytes, rules.json_depth).ok(),
    }
}

/// Says what is wrong with a body, as the engine would, until it has said so often enough.
struct Judge<'a> {
    pack: &'a Pack,
    options: &'a Options,
    operation: &'a Operation,
    rule: &'a BodyRule,
    left: usize,
}

impl Judge<'_> {
    /// The body with the spelling of the schema, when it can be read.
    fn read(&self, body: &Json) -> Option<Json> {
        let texts = |object: &serde_json::Map<String, Json>| object.values().all(Json::is_string);
        if self.rule.form && !body.as_object().is_some_and(texts) {
            return None;
        }
        let mut read = body.clone();
        self.operation.ignore_case.iter().try_for_each(|rule| rule.normalise(&mut read)).ok()?;
        Some(read)
    }

    fn is_tolerated(&self, violation: &Violation) -> bool {
        let row = self.pack.row(violation, self.options);
        row.is_some_and(|row| matches!(row.gives, Given::Tolerated(_)))
    }

    /// What does not fit, without what the pack lets pass, up to a number. None when that cannot be said, or not any more.
    fn violations(&mut self, body: &Json) -> Option<Vec<Violation>> {
        self.left = self.left.checked_sub(1)?;
        let read = self.read(body)?;
        let all = self.rule.schema.each_violation(&read, Place::Body);
        Some(all.filter(|violation| !self.is_tolerated(violation)).take(MOST_VIOLATIONS).collect())
    }

    fn fits(&mut self, body: &Json) -> bool {
        let Some(left) = self.left.checked_sub(1) else { return false };
        self.left = left;
        let Some(read) = self.read(body) else { return false };
        let schema = &self.rule.schema;
        let lets_pass = || self.pack.rows.iter().any(|row| matches!(row.gives, Given::Tolerated(_)));
        schema.is_valid(&read)
            || (lets_pass() && schema.each_violation(&read, Place::Body).all(|violation| self.is_tolerated(&violation)))
    }

    /// Whether a patch makes the body fit.
    fn mends(&mut self, operations: &[PatchOperation], sent: &Json) -> bool {
        patched(operations, sent).is_some_and(|body| self.fits(&body))
    }
}

fn patched(operations: &[PatchOperation], body: &Json) -> Option<Json> {
    let mut body = body.clone();
    json_patch::patch(&mut body, operations).ok().map(|()| body)
}

/// The operations after which a body fits: step by step, which keeps the most of it; else towards an example.
fn patch(judge: &mut Judge<'_>, known: &[Known], sent: &Json) -> Option<Vec<PatchOperation>> {
    // What is spent step by step must not be missing afterwards.
    let reserved = judge.left / 3;
    judge.left -= reserved;
    let stepwise = step_by_step(judge, known, sent);
    judge.left += reserved;
    let found = stepwise.or_else(|| {
        let example = known.iter().find(|example| example.fits)?;
        let operations = json_patch::diff(sent, &example.body).0;
        (operations.len() <= MOST_OPERATIONS && judge.mends(&operations, sent)).then_some(operations)
    })?;
    Some(without_needless(judge, found, sent))
}

/// Mends one violation after the other, each in the first way that helps.
fn step_by_step(judge: &mut Judge<'_>, known: &[Known], sent: &Json) -> Option<Vec<PatchOperation>> {
    let mut body = sent.clone();
    let mut operations = Vec::new();
    let mut violations = judge.violations(&body)?;
    if violations.len() >= MOST_VIOLATIONS {
        return None;
    }
    while !violations.is_empty() {
        if operations.len() == MOST_OPERATIONS {
            return None;
        }
        let (operation, next, left) = mended(judge, known, &body, &violations)?;
        operations.push(operation);
        (body, violations) = (next, left);
    }
    let folded = folded(&operations);
    let same = patched(&folded, sent).is_some_and(|result| result == body);
    Some(if same { folded } else { operations })
}

type Mended = (PatchOperation, Json, Vec<Violation>);

/// The first way in which a violation is gone: what was meant comes before every guess, and a guess that brings further
/// rules with it after one that does not.
fn mended(judge: &mut Judge<'_>, known: &[Known], body: &Json, violations: &[Violation]) -> Option<Mended> {
    let Judge { operation, rule, .. } = *judge;
    let cases = || violations.iter().map(|violation| Case { operation, rule, known, body, violation });
    let mut tried = |case: &Case<'_>, way: PatchOperation| {
        let same = |other: &Violation| {
            let mended = case.violation;
            (&other.pointer, &other.keyword, &other.schema) == (&mended.pointer, &mended.keyword, &mended.schema)
        };
        let next = patched(std::slice::from_ref(&way), body)?;
        let left = judge.violations(&next)?;
        (!left.iter().any(same)).then_some((way, next, left))
    };
    let found = cases().find_map(|case| case.meant().into_iter().find_map(|way| tried(&case, way)));
    if found.is_some() {
        return found;
    }
    for case in cases() {
        let mut second = None;
        for mended in case.guessed().into_iter().filter_map(|way| tried(&case, way)) {
            if mended.2.len() <= violations.len() {
                return Some(mended);
            }
            second.get_or_insert(mended);
        }
        if second.is_some() {
            return second;
        }
    }
    None
}

/// Puts what is done within a value that the patch itself gives into that value.
fn folded(operations: &[PatchOperation]) -> Vec<PatchOperation> {
    let mut out: Vec<PatchOperation> = Vec::new();
    for operation in operations {
        if !out.iter_mut().rev().any(|earlier| fold(earlier, operation)) {
            out.push(operation.clone());
        }
    }
    out
}

/// Performs an operation within the value that an earlier one gives, if it is one within it.
fn fold(earlier: &mut PatchOperation, operation: &PatchOperation) -> bool {
    let (path, value) = match earlier {
        PatchOperation::Add(add) => (&add.path, &mut add.value),
        PatchOperation::Replace(replace) => (&replace.path, &mut replace.value),
        _ => return false,
    };
    let below = |other: &json_patch::jsonptr::Pointer| other.strip_prefix(path).map(ToOwned::to_owned);
    let mut inner = operation.clone();
    match &mut inner {
        PatchOperation::Add(add) => match below(&add.path) {
            Some(rest) if !rest.is_root() => add.path = rest,
            _ => return false,
        },
        PatchOperation::Replace(replace) => match below(&replace.path) {
            Some(rest) => replace.path = rest,
            None => return false,
        },
        PatchOperation::Remove(remove) => match below(&remove.path) {
            Some(rest) if !rest.is_root() => remove.path = rest,
            _ => return false,
        },
        _ => return false,
    }
    json_patch::patch(value, &[inner]).is_ok()
}

/// The patch without each operation that is not needed.
fn without_needless(judge: &mut Judge<'_>, mut operations: Vec<PatchOperation>, sent: &Json) -> Vec<PatchOperation> {
    let mut index = 0;
    while index < operations.len() && judge.left > 0 {
        let mut fewer = operations.clone();
        fewer.remove(index);
        if judge.mends(&fewer, sent) {
            operations = fewer;
            // What could not be left out before may be now.
            index = 0;
        } else {
            index += 1;
        }
    }
    operations
}
