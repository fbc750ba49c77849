//! How often callers may call: counted per pack and credential on the virtual clock, told in headers, refused with 429.

mod bad;
mod headers;
mod story;

use std::thread;

use serde_json::{Value as Json, json};

use crate::server::{ACME, Answer, JSON, REPORTEI, Server, advance, call, case};
use crate::support::repository;
use crate::together::READS;

const PATH: &str = "/reportei/customers";

/// A server of all packs at a frozen time, with these limits in the default sandbox.
fn with(limits: Json) -> Server {
    let server = Server::start(&["--freeze"]);
    put(&server, limits);
    server
}

#[track_caller]
fn put(server: &Server, limits: Json) -> Json {
    server.control("PUT", "/limits", Some(json!({ "limits": limits }))).expect(200).json()
}

fn statuses(server: &Server, caller: (&str, &str), calls: usize) -> Vec<u16> {
    (0..calls).map(|_| server.api_as(caller, "GET", PATH, None).status).collect()
}

/// A header, which must be there, as a number.
#[track_caller]
fn number(answer: &Answer, name: &str) -> i64 {
    let text = answer.header(name).unwrap_or_else(|| panic!("no {name}: {answer}"));
    text.parse().unwrap_or_else(|_| panic!("{name} is {text}"))
}

/// `r` and `t` of the one policy in `RateLimit`.
#[track_caller]
fn standing(answer: &Answer) -> (i64, i64) {
    let text = answer.header("ratelimit").unwrap_or_else(|| panic!("no RateLimit: {answer}"));
    let (_, rest) = text.split_once(";r=").unwrap();
    let (remaining, time) = rest.split_once(";t=").unwrap();
    (remaining.parse().unwrap(), time.parse().unwrap())
}

/// What callers have used, as the control plane shows it: label, used and remaining.
fn callers(server: &Server, limit: usize) -> Vec<(Json, u64, u64)> {
    let shown = server.control("GET", "/limits", None).expect(200).json();
    let callers = shown["limits"][limit]["callers"].as_array().unwrap().iter();
    let one = |caller: &Json| {
        (caller["label"].clone(), caller["used"].as_u64().unwrap(), caller["remaining"].as_u64().unwrap())
    };
    callers.map(one).collect()
}

#[test]
fn nothing_is_limited_unless_somebody_wants_it() {
    let server = Server::start(&["--freeze"]);
    for (pack, path, credential) in READS {
        for _ in 0..3 {
            let answer = server.call("GET", &format!("/{pack}{path}"), &[credential], "").expect(200);
            let told = answer.headers.iter().filter(|(name, _)| name.contains("ratelimit"));
            assert_eq!(told.count(), 0, "{pack}: {answer}");
        }
        let shown = server.control("GET", &format!("/packs/{pack}"), None).expect(200).json();
        assert_eq!(shown["limits"], json!([]), "no documentation of these four has a number");
    }
    assert_eq!(server.control("GET", "/limits", None).json(), json!({ "limits": [] }));
}

#[test]
fn the_quota_is_for_each_credential_and_ends_with_its_window() {
    let server = with(json!([{ "pack": "reportei", "quota": 3, "window": "1m" }]));
    assert_eq!(statuses(&server, REPORTEI, 5), [200, 200, 200, 429, 429]);
    // The window of another caller is its own, and begins with its own first call.
    advance(&server, "20s");
    assert_eq!(statuses(&server, ACME, 1), [200]);
    assert_eq!(statuses(&server, REPORTEI, 1), [429]);
    advance(&server, "39s");
    assert_eq!(statuses(&server, REPORTEI, 1), [429]);
    advance(&server, "1s");
    assert_eq!(statuses(&server, REPORTEI, 4), [200, 200, 200, 429]);
    assert_eq!(statuses(&server, ACME, 3), [200, 200, 429], "its window goes on until second 80");
    advance(&server, "20s");
    assert_eq!(statuses(&server, ACME, 1), [200]);
    // Time that goes back ends what has not begun.
    server.control("PUT", "/clock", Some(json!({ "now": "2024-10-01T17:00:00Z" }))).expect(200);
    assert_eq!(statuses(&server, REPORTEI, 1), [200]);
}

#[test]
fn packs_and_sandboxes_are_apart() {
    let server = with(
        json!([{ "pack": "reportei", "quota": 1, "window": "1m" }, { "pack": "hubster", "quota": 2, "window": "1m" }]),
    );
    assert_eq!(statuses(&server, REPORTEI, 2), [200, 429]);
    let (_, path, portal) = READS[1];
    let hubster = || server.call("GET", &format!("/hubster{path}"), &[portal], "").status;
    assert_eq!([hubster(), hubster(), hubster()], [200, 200, 429]);
    let (_, path, admin) = READS[0];
    server.call("GET", &format!("/capillary{path}"), &[admin], "").expect(200);
    server.control("POST", "/sandboxes", Some(json!({ "id": "free" }))).expect(201);
    for _ in 0..3 {
        server.api("GET", "/~free/reportei/customers", None).expect(200);
    }
    server.control("POST", "/sandboxes", Some(json!({ "id": "fork", "from": "default" }))).expect(201);
    server.api("GET", "/~fork/reportei/customers", None).expect(429);
}

#[test]
fn what_is_refused_changes_nothing_and_comes_after_who_calls() {
    let server = with(json!([{ "pack": "reportei", "quota": 2, "window": "1m" }]));
    // Who is not known is told that, and uses nothing up; nor does what leads nowhere.
    for _ in 0..3 {
        server.get(PATH).expect(401);
        server.api("GET", "/reportei/nothing", None).expect(404);
    }
    assert_eq!(callers(&server, 0), []);
    server.api("POST", PATH, Some(json!({ "name": "One" }))).expect(201);
    // A request that is refused later counts as well.
    server.api("POST", PATH, Some(json!({}))).expect(422);
    let watch = server.watch();
    let refused = server.api("POST", PATH, Some(json!({ "name": "Two" })));
    let detail = refused.problem(429, "rate-limited");
    assert_eq!(detail, "2 requests in 60 seconds are allowed, and the next one in 60 seconds.");
    // It is refused before its body is looked at, and before its path is.
    server.api("POST", PATH, Some(json!({}))).expect(429);
    server.call("POST", PATH, &[REPORTEI, JSON], "{").expect(429);
    server.api("GET", "/reportei/customers/no-such-one", None).expect(429);
    watch.unharmed();
    assert_eq!(callers(&server, 0), [(json!("reportei"), 2, 0)]);
    server.get(PATH).expect(401);
    let entry = refused.header("standin-entry").unwrap();
    let shown = server.control("GET", &format!("/journal/{entry}"), None).expect(200).json();
    let steps = shown["exchange"]["trace"].as_array().unwrap();
    let stages: Vec<&str> = steps.iter().map(|step| step["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["route", "authenticate", "rate limit"]);
    assert_eq!(steps[2]["verdict"], "refused");
}

/// Where the documentation names the status, the body is the vendor's.
#[test]
fn the_429_has_the_vendors_own_body() {
    let limits = READS.map(|(pack, ..)| json!({ "pack": pack, "quota": 1, "window": "30s" }));
    let server = with(json!(limits));
    for (pack, path, credential) in READS {
        let call = || server.call("GET", &format!("/{pack}{path}"), &[credential], "");
        call().expect(200);
        let refused = call().expect(429);
        assert_eq!(number(&refused, "retry-after"), 30, "{pack}");
        assert_eq!(refused.header("ratelimit"), Some("\"default\";r=0;t=30"), "{pack}");
        let file = repository(&format!("fixtures/{pack}/errors/too-many-requests.json"));
        match std::fs::read_to_string(file) {
            Ok(body) => {
                assert_eq!(refused.text(), body, "{pack}");
                assert_eq!(refused.header("standin-contract"), Some("documented; body=assumed"), "{pack}");
            }
            Err(_) => _ = refused.problem(429, "rate-limited"),
        }
        assert_eq!(refused.text().contains("urn:"), matches!(pack, "reportei" | "capillary"), "{pack}");
    }
}

#[test]
fn those_without_a_credential_are_one_caller() {
    // The page of a session is open to everyone who has its address.
    let server = with(json!([{ "pack": "reportei", "quota": 2, "window": "1m" }]));
    let open = || server.get("/reportei/customer-integrations/session/00000000-0000-0000-0000-000000000000").status;
    assert_eq!([open(), open(), open()], [404, 404, 429]);
    assert_eq!(callers(&server, 0), [(Json::Null, 2, 0)]);
    assert_eq!(statuses(&server, REPORTEI, 3), [200, 200, 429]);
}

#[test]
fn callers_are_shown_by_their_labels_and_never_by_their_secrets() {
    let server = with(
        json!([{ "pack": "hubster", "quota": 9, "window": "1m" }, { "pack": "capillary", "quota": 9, "window": "1m" }]),
    );
    let token = "/hubster/connect/token";
    let form = "grant_type=client_credentials&client_id=hubster.portal.api.00000000000000000000000000000001&client_secret=hubster-portal-secret&scope=hubster-portal-api";
    let made = server.call("POST", token, &[crate::server::FORM], form);
    let (_, path, portal) = READS[1];
    server.call("GET", &format!("/hubster{path}"), &[portal], "").expect(200);
    let (_, path, admin) = READS[0];
    server.call("GET", &format!("/capillary{path}"), &[admin], "").expect(200);
    // A token that was made has no label.
    let bearer = format!("Bearer {}", made.expect(200).json()["access_token"].as_str().unwrap());
    server.call("GET", &format!("/hubster{}", READS[1].1), &[("Authorization", &bearer)], "").expect(200);
    let mut known: Vec<Json> = callers(&server, 0).into_iter().map(|(label, ..)| label).collect();
    known.sort_by_key(Json::to_string);
    assert_eq!(known, [json!("hubster"), Json::Null, Json::Null]);
    let shown = server.control("GET", "/limits", None).text();
    for secret in ["hubster-portal-token", portal.1, admin.1] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let callers_of = |of: usize| server.control("GET", "/limits", None).json()["limits"][of]["callers"].clone();
    let kinds: Vec<bool> =
        callers_of(0).as_array().unwrap().iter().map(|one| one["credential"].as_bool().unwrap()).collect();
    assert_eq!(kinds.iter().filter(|kind| !**kind).count(), 1, "who asks for a token has no credential yet");
    let capillary = &callers(&server, 1)[0];
    assert!(capillary.0.is_string(), "{shown}");
}

#[test]
fn of_many_at_once_exactly_the_quota_passes() {
    let server = with(json!([{ "pack": "reportei", "quota": 50, "window": "1m" }]));
    let passed: usize = thread::scope(|scope| {
        let reads = || statuses(&server, REPORTEI, 15).into_iter().filter(|status| *status == 200).count();
        let writes = || {
            let one = || server.api("POST", PATH, Some(json!({ "name": "x" }))).status == 201;
            (0..15).filter(|_| one()).count()
        };
        let mut threads: Vec<_> = (0..4).map(|_| scope.spawn(reads)).collect();
        threads.extend((0..4).map(|_| scope.spawn(writes)));
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(passed, 50);
    assert_eq!(callers(&server, 0), [(json!("reportei"), 50, 0)]);
}

#[test]
fn faults_before_a_limit_use_nothing_up_and_those_after_it_do() {
    let server = with(json!([{ "pack": "reportei", "quota": 3, "window": "1m" }]));
    let fault = |when: &str| {
        let rule = json!({ "error": "too-large", "count": 1, "when": when });
        server.control("PUT", "/faults", Some(json!({ "faults": [rule] }))).expect(200);
        server.api("GET", PATH, None).expect(413)
    };
    assert_eq!(fault("before").header("ratelimit"), None);
    assert_eq!(callers(&server, 0), []);
    assert_eq!(standing(&fault("after")), (2, 60));
    assert_eq!(statuses(&server, REPORTEI, 3), [200, 200, 429]);
}

/// A pack whose documentation has limits begins with them.
#[test]
fn limits_of_the_documentation_are_there_from_the_start() {
    let server = case("limits", &[]);
    let get = |key: &str| server.call("GET", "/boats", &[("x-key", key)], "");
    for left in [2, 1, 0] {
        let answer = get("first-key").expect(200);
        assert_eq!((number(&answer, "x-ratelimit-limit"), number(&answer, "x-ratelimit-remaining")), (3, left));
    }
    let refused = get("first-key").expect(429);
    assert_eq!(refused.text(), "{ \"error\": \"The pier is full.\" }\n");
    // What the pack says beside is not what holds here.
    assert_eq!(number(&refused, "retry-after"), 10);
    get("second-key").expect(200);
    let shown = server.control("GET", "/packs/ferries", None).expect(200).json();
    assert_eq!(shown["limits"][0]["quota"], 3);
    assert_eq!(shown["limits"][0]["provenance"], json!({ "contract": "documented", "docs": "ferries.md#limits" }));
    assert_eq!(shown["limits"][1]["provenance"]["contract"], "assumed");
    // Whoever runs it can want others, or none.
    let server = case("limits", &["--rate-limit", "ferries=1/2s", "--rate-limit-headers", "none"]);
    let statuses =
        |server: &Server| [(); 4].map(|()| server.call("GET", "/boats", &[("x-key", "first-key")], "").status);
    assert_eq!(statuses(&server), [200, 429, 429, 429]);
    let server = case("limits", &["--rate-limit", "ferries=none"]);
    assert_eq!(statuses(&server), [200; 4]);
}

/// The daily quota goes on while that of the moment begins anew.
#[test]
fn of_several_limits_the_tightest_decides() {
    let server = with(json!([
        { "pack": "reportei", "name": "burst", "quota": 2, "window": "1m" },
        { "pack": "reportei", "name": "hourly", "quota": 3, "window": "1h" },
    ]));
    let list = || server.api("GET", PATH, None);
    assert_eq!(list().header("ratelimit-policy"), Some("\"burst\";q=2;w=60, \"hourly\";q=3;w=3600"));
    assert_eq!(list().header("ratelimit"), Some("\"burst\";r=0;t=60, \"hourly\";r=1;t=3600"));
    let refused = list().expect(429);
    assert_eq!(refused.header("ratelimit"), Some("\"burst\";r=0;t=60, \"hourly\";r=1;t=3600"));
    assert_eq!(number(&refused, "retry-after"), 60);
    advance(&server, "1m");
    // The refused one used nothing up of the hour.
    assert_eq!(list().expect(200).header("ratelimit"), Some("\"burst\";r=1;t=60, \"hourly\";r=0;t=3540"));
    let refused = list().expect(429);
    assert_eq!(number(&refused, "retry-after"), 3540);
    assert_eq!(refused.header("ratelimit"), Some("\"burst\";r=1;t=60, \"hourly\";r=0;t=3540"));
}

#[test]
fn flags_limit_every_sandbox_from_its_beginning() {
    let server = Server::start(&["--freeze", "--rate-limit", "reportei=2/1m", "--rate-limit", "reportei=3/1h"]);
    let policy = "\"default\";q=2;w=60, \"default-2\";q=3;w=3600";
    let answer = server.api("GET", PATH, None).expect(200);
    assert_eq!(answer.header("ratelimit-policy"), Some(policy));
    server.control("POST", "/sandboxes", Some(json!({ "id": "alice" }))).expect(201);
    let answer = call(
        format!("127.0.0.1:{}", server.port()).parse().unwrap(),
        "GET",
        "/~alice/reportei/customers",
        &[REPORTEI],
        "",
    );
    assert_eq!(answer.expect(200).header("ratelimit-policy"), Some(policy));
    // A sandbox can do without, until it is reset.
    server.control("DELETE", "/limits", None).expect(204);
    assert_eq!(statuses(&server, REPORTEI, 5), [200; 5]);
    server.control("POST", "/reset", None).expect(200);
    assert_eq!(statuses(&server, REPORTEI, 3), [200, 200, 429]);
}
