//! `/_standin/metrics`: what Prometheus reads, that it counts exactly what was sent, and that no client can add to its
//! labels.

use std::collections::BTreeMap;
use std::io::Write as _;

use serde_json::json;

use crate::server::{Answer, REPORTEI, Server, case, eventually};

const OPEN_METRICS: (&str, &str) = ("Accept", "application/openmetrics-text");

/// Every sample by its name and labels, as they stand there.
type Samples = BTreeMap<String, f64>;

/// Reads an exposition line by line: every sample stands below the `HELP` and the `TYPE` of its family.
#[track_caller]
fn read(answer: &Answer) -> Samples {
    let open = answer.header("content-type").unwrap().starts_with("application/openmetrics-text");
    let text = answer.text();
    assert_eq!(text.ends_with("\n# EOF\n"), open, "{text}");
    let mut samples = Samples::new();
    let (mut helped, mut family, mut kind, mut seen) = (String::new(), String::new(), String::new(), Vec::new());
    for line in text.lines().filter(|line| *line != "# EOF") {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(help.ends_with('.') && !seen.contains(&name.to_owned()), "{line}");
            seen.push(name.to_owned());
            name.clone_into(&mut helped);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, of) = rest.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&of) && name == helped, "{line}");
            (family, kind) = (name.to_owned(), of.to_owned());
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line:?}"));
            let name = series.split('{').next().unwrap();
            let fits = match kind.as_str() {
                "counter" if open => name == format!("{family}_total"),
                "counter" => name == family && name.ends_with("_total"),
                "histogram" => ["_bucket", "_sum", "_count"].contains(&name.strip_prefix(&family).unwrap_or_default()),
                _ => name == family,
            };
            assert!(fits && name.starts_with("standin_"), "{line:?} is no {kind} of {family}");
            let value = value.parse().unwrap_or_else(|_| panic!("{line:?}"));
            assert_eq!(samples.insert(series.to_owned(), value), None, "{line:?} stands there twice");
        }
    }
    samples
}

#[track_caller]
fn samples(server: &Server) -> Samples {
    read(&server.control("GET", "/metrics", None).expect(200))
}

/// By how much samples rose; those that did not are left out, as is what depends on how long something took.
fn risen(before: &Samples, after: &Samples) -> Samples {
    let timed = |series: &str| {
        series.starts_with("standin_connections")
            || series.contains("_seconds_sum")
            || (series.contains("_seconds_bucket") && !series.contains("+Inf"))
    };
    assert!(before.keys().all(|series| after.contains_key(series)), "a series is gone");
    let differences = after.iter().map(|(series, now)| (series, now - before.get(series).unwrap_or(&0.0)));
    differences.filter(|(series, by)| *by != 0.0 && !timed(series)).map(|(series, by)| (series.clone(), by)).collect()
}

fn expected(rises: &[(&str, f64)]) -> Samples {
    rises.iter().map(|(series, by)| (format!("standin_{series}"), *by)).collect()
}

#[test]
fn both_formats_say_the_same() {
    let server = Server::start(&["--freeze"]);
    server.api("GET", "/reportei/customers", None).expect(200);
    let text = server.control("GET", "/metrics", None).expect(200);
    let open = server.call("GET", "/_standin/metrics", &[OPEN_METRICS], "").expect(200);
    assert_eq!(text.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(open.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    let [text, open] = [text, open].map(|answer| {
        let mut samples = read(&answer);
        samples.remove("standin_connections").unwrap();
        samples
    });
    assert_eq!(text, open);
    assert_eq!(text[&format!("standin_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"))], 1.0);
}

#[test]
fn the_format_is_what_the_scraper_would_rather_have() {
    let server = Server::start(&["reportei", "--freeze"]);
    for (accept, open) in [
        ("*/*", false),
        ("", false),
        ("text/plain", false),
        ("application/json", false),
        ("application/openmetrics-text", true),
        ("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1", true),
        ("text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1", false),
        ("application/openmetrics-text;q=0", false),
    ] {
        let answer = server.call("GET", "/_standin/metrics", &[("Accept", accept)], "").expect(200);
        let media = answer.header("content-type").unwrap();
        assert_eq!(media.starts_with("application/openmetrics-text"), open, "{accept:?} got {media}");
        read(&answer);
    }
}

#[test]
fn counters_rise_by_exactly_what_was_sent() {
    let server = Server::start(&["--freeze"]);
    let before = samples(&server);
    for _ in 0..3 {
        server.api("GET", "/reportei/customers", None).expect(200);
    }
    server.api("HEAD", "/reportei/customers", None).expect(200);
    server.api("POST", "/reportei/customers", Some(json!({ "name": "x" }))).expect(201);
    server.get("/reportei/customers").expect(401);
    server.get("/hubster/nothing").expect(404);
    server.get("/nowhere").expect(404);
    server.get("/nowhere/at/all").expect(404);
    // Another sandbox counts in the same place, and the control plane does not count at all.
    server.control("POST", "/sandboxes", Some(json!({ "id": "alice" }))).expect(201);
    server.api("GET", "/~alice/reportei/customers", None).expect(200);
    server.get("/_standin/nothing").expect(404);
    let list = r#"requests_total{pack="reportei",operation="reportei/customers/list",code="#;
    let of = |series: &str, by: f64| (series.to_owned(), by);
    let rises = [
        of(&format!("{list}\"200\"}}"), 5.0),
        of(&format!("{list}\"401\"}}"), 1.0),
        of(r#"requests_total{pack="reportei",operation="reportei/customers/create",code="201"}"#, 1.0),
        of(r#"requests_total{pack="hubster",operation="",code="404"}"#, 1.0),
        of(r#"requests_total{pack="",operation="",code="404"}"#, 2.0),
        of(r#"unmatched_requests_total{pack="hubster"}"#, 1.0),
        of(r#"unmatched_requests_total{pack=""}"#, 2.0),
        of(r#"answers_total{pack="reportei",contract="documented"}"#, 6.0),
        of(r#"answers_total{pack="reportei",contract="documented; body=assumed"}"#, 1.0),
        of(r#"answers_total{pack="hubster",contract="assumed"}"#, 1.0),
        of(r#"request_duration_seconds_count{pack="reportei"}"#, 7.0),
        of(r#"request_duration_seconds_count{pack="hubster"}"#, 1.0),
        of(r#"request_duration_seconds_bucket{le="+Inf",pack="reportei"}"#, 7.0),
        of(r#"request_duration_seconds_bucket{le="+Inf",pack="hubster"}"#, 1.0),
        of("sandboxes", 1.0),
        of("journal_entries", 10.0),
    ];
    let rises: Vec<(&str, f64)> = rises.iter().map(|(series, by)| (series.as_str(), *by)).collect();
    let after = samples(&server);
    assert_eq!(risen(&before, &after), expected(&rises));
    // What is in a bucket is in every larger one.
    let mut buckets: Vec<(f64, f64)> = after
        .iter()
        .filter(|(series, _)| series.contains("_bucket") && series.contains("reportei"))
        .map(|(series, count)| (series.split('"').nth(1).unwrap().parse().unwrap(), *count))
        .collect();
    buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
    assert_eq!((buckets[0].0, buckets.len()), (1e-5, 17));
    assert!(buckets.is_sorted_by_key(|(_, count)| *count), "{buckets:?}");
    assert!(after[r#"standin_request_duration_seconds_sum{pack="reportei"}"#] > 0.0);
}

#[test]
fn findings_count_at_their_operation() {
    let server = case("mismatches", &[]);
    server.control("PATCH", "/state/cellar/barrel/1", Some(json!({ "grade": "vinegar", "litres": -1 }))).expect(200);
    let before = samples(&server);
    let list = r#"standin_contract_findings_total{pack="cellar",operation="cellar/barrels/list"}"#;
    assert_eq!(before[list], 0.0, "it is there before the first finding");
    for path in ["/barrels", "/barrels", "/barrels/1", "/barrels/2"] {
        server.get(path).expect(200);
    }
    let mut rises = risen(&before, &samples(&server));
    rises.retain(|series, _| series.contains("findings"));
    let show = r#"contract_findings_total{pack="cellar",operation="cellar/barrels/show"}"#;
    assert_eq!(rises, expected(&[(list.strip_prefix("standin_").unwrap(), 2.0), (show, 1.0)]));
}

#[test]
fn gauges_tell_what_is_there_now() {
    let server = Server::start(&["reportei", "--freeze", "--max-journal-entries", "3"]);
    let kept = || {
        let samples = samples(&server);
        ["sandboxes", "journal_entries", "journal_evicted"].map(|name| samples[&format!("standin_{name}")])
    };
    assert_eq!(kept(), [1.0, 0.0, 0.0]);
    server.control("POST", "/sandboxes", Some(json!({ "id": "alice" }))).expect(201);
    for _ in 0..5 {
        server.api("GET", "/customers", None).expect(200);
        server.api("GET", "/~alice/customers", None).expect(200);
    }
    assert_eq!(kept(), [2.0, 6.0, 4.0]);
    server.control("POST", "/reset", None).expect(200);
    assert_eq!(kept(), [2.0, 3.0, 2.0]);
    server.control("DELETE", "/sandboxes/alice", None).expect(204);
    assert_eq!(kept(), [1.0, 0.0, 0.0]);
}

#[test]
fn connections_are_those_that_are_open() {
    let server = Server::start(&["reportei", "--freeze"]);
    let open = |wanted: f64| {
        eventually("the connections", || (samples(&server)["standin_connections"] == wanted).then_some(()));
    };
    // The one that asks is one of them.
    open(1.0);
    let mut streams = [server.connect(), server.connect()];
    streams[0].write_all(b"GET ").unwrap();
    open(3.0);
    drop(streams);
    open(1.0);
}

#[test]
fn no_client_adds_to_the_labels() {
    let server = Server::start(&["--freeze"]);
    let look = || samples(&server).into_keys().collect::<Vec<_>>();
    let call = |path: &str| {
        server.call("GET", path, &[REPORTEI, ("User-Agent", "marker"), ("X-Operation", "marker")], "");
    };
    server.control("POST", "/sandboxes", Some(json!({ "id": "marker" }))).expect(201);
    // One call of each kind: with what these add, all series are there.
    for path in ["/reportei/customers/x", "/reportei/x", "/x"] {
        call(path);
    }
    let before = look();
    for number in 0..20 {
        call(&format!("/reportei/customers/marker-{number}?marker={number}"));
        call(&format!("/reportei/marker-{number}%22%0A"));
        call(&format!("/marker-{number}/marker"));
        call(&format!("/~marker/reportei/marker-{number}"));
        server.call(&format!("MARKER{number}"), "/reportei/customers", &[REPORTEI], "").expect(405);
        server.call("GET", "/customers", &[("Host", "marker.reportei.localhost")], "").expect(401);
    }
    let mut after = look();
    after.retain(|series| !before.contains(series));
    let new = ["reportei/customers/list\",code=\"401\"", "operation=\"\",code=\"405\""];
    assert!(after.len() == 2 && new.iter().all(|new| after.iter().any(|series| series.contains(new))), "{after:#?}");
    assert!(!server.control("GET", "/metrics", None).text().to_lowercase().contains("marker"));
}

#[test]
fn metrics_stand_behind_the_gate_and_belong_to_no_sandbox() {
    let server = Server::start(&["reportei", "--freeze", "--token", "0123456789-the-token"]);
    server.control("GET", "/metrics", None).problem(401, "token-required");
    let bearer = ("Authorization", "Bearer 0123456789-the-token");
    let origin = ("Origin", "https://example.com");
    server.call("GET", "/_standin/metrics", &[bearer, origin], "").problem(403, "origin-foreign");
    server.call("GET", "/_standin/metrics", &[bearer, ("Host", "example.com")], "").problem(403, "host-unknown");
    read(&server.call("GET", "/_standin/metrics", &[bearer], "").expect(200));
    let body = json!({ "id": "alice" }).to_string();
    server.call("POST", "/_standin/sandboxes", &[bearer, crate::server::JSON], &body).expect(201);
    server.api("GET", "/~alice/customers", None).expect(200);
    for path in ["/_standin/metrics", "/~alice/_standin/metrics"] {
        let list = r#"standin_requests_total{pack="reportei",operation="reportei/customers/list",code="200"}"#;
        assert_eq!(read(&server.call("GET", path, &[bearer], "").expect(200))[list], 1.0, "{path}");
    }
}
