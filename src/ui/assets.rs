//! What pages are made of, and what browsers load besides: all of it is part of the program.

use http::{StatusCode, header};

use super::Later;
use super::answer::Answer;
use super::visit::Visit;
use crate::exchange::{Problem, Response};

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("templates/", $name)))),*]
    };
}

/// Each is a file of `templates`.
pub(super) const TEMPLATES: &[(&str, &str)] = templates![
    "broken.html",
    "clock-agenda.html",
    "clock-face.html",
    "clock-mode.html",
    "clock-said.html",
    "clock.html",
    "coverage-map.html",
    "coverage.html",
    "diagnostic.html",
    "event-fired.html",
    "event.html",
    "events.html",
    "fault-fields.html",
    "fault.html",
    "faults-list.html",
    "faults.html",
    "index.html",
    "journal-entry.html",
    "journal-list.html",
    "journal-parts.html",
    "journal-scenario.html",
    "journal.html",
    "layout.html",
    "limits-list.html",
    "limits.html",
    "login.html",
    "macros.html",
    "notes.html",
    "problem-part.html",
    "problem.html",
    "record-edit.html",
    "record-facts.html",
    "record-json.html",
    "record-macros.html",
    "record.html",
    "records-all-list.html",
    "records-all.html",
    "records-list.html",
    "records.html",
    "reference-operation.html",
    "reference-pack.html",
    "reference.html",
    "reload-state.html",
    "reload.html",
    "rows.html",
    "sandboxes-list.html",
    "sandboxes.html",
    "settings-json.html",
    "story.html",
    "stub-facts.html",
    "stub-new.html",
    "stub.html",
    "stubs-list.html",
    "stubs.html",
    "timeline-days.html",
    "timeline.html",
    "try.html",
    "webhook-attempts.html",
    "webhook.html",
    "webhooks-list.html",
    "webhooks.html",
];

/// One stylesheet, which is written in pieces: what all pages share first.
const STYLE: &str = concat!(
    include_str!("style/base.css"),
    include_str!("style/journal.css"),
    include_str!("style/clock.css"),
    include_str!("style/login.css"),
    include_str!("style/records.css"),
    include_str!("style/events.css"),
    include_str!("style/webhooks.css"),
    include_str!("style/faults.css"),
    include_str!("style/coverage.css"),
    include_str!("style/reload.css"),
    include_str!("style/index.css"),
    include_str!("style/reference.css"),
);

/// Name, media type, content.
const FILES: &[(&str, &str, &str)] = &[
    ("ui.css", "text/css; charset=utf-8", STYLE),
    ("journal.js", "text/javascript; charset=utf-8", include_str!("script/journal.js")),
    ("ui.js", "text/javascript; charset=utf-8", include_str!("script/ui.js")),
    ("try.js", "text/javascript; charset=utf-8", include_str!("script/try.js")),
    ("htmx.min.js", "text/javascript; charset=utf-8", include_str!("vendor/htmx.min.js")),
    ("htmx.LICENSE", "text/plain; charset=utf-8", include_str!("vendor/htmx.LICENSE")),
];

/// `/assets/{file}`. It says nothing of this server, so nobody is asked who he is.
pub(super) fn file<'v>(visit: &'v Visit<'_>) -> Later<'v> {
    Box::pin(async {
        let name = visit.parameter("file");
        let Some((_, media, content)) = FILES.iter().find(|(known, ..)| *known == name) else {
            // Whoever asks has shown no token, so this is no page, with what runs here around it.
            let problem = Problem::not_found("page-unknown", "There is no such file of the pages.");
            return Ok(Answer::File(problem.into_response()));
        };
        let mut response = Response::new(StatusCode::OK).with_body(media, *content);
        // Pages name the version of standin with each file.
        response.set(header::CACHE_CONTROL, "public, max-age=3600");
        Ok(Answer::File(response))
    })
}

#[cfg(test)]
mod tests {
    use crate::expr::Pages;

    #[test]
    fn every_template_can_be_read() {
        let fault = Pages::new(super::TEMPLATES.to_vec()).fault().map(|fault| fault.to_string());
        assert_eq!(fault, None);
    }

    #[test]
    fn the_script_of_others_is_what_its_package_has() {
        let digest = ring::digest::digest(&ring::digest::SHA256, include_bytes!("vendor/htmx.min.js"));
        let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        // htmx.org 2.0.11, dist/htmx.min.js
        assert_eq!(hex, "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717");
    }
}
