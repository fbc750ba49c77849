//! The journal and the log.

use super::*;

// ---- journal and log ----

#[test]
fn the_journal_lists_exchanges_and_filters_them() {
    let server = with_exchanges();
    advance(&server, "1s");
    let list = |query: &str| server.control("GET", &format!("/journal{query}"), None).expect(200).json();
    let entries = |query: &str| numbers(&list(query));
    for (query, expected) in [
        ("", &[1, 2, 3, 4, 5][..]),
        ("?status=401", &[5]),
        ("?status=4xx", &[3, 4, 5]),
        ("?status=2xx", &[1, 2]),
        ("?status=5xx", &[]),
        ("?method=GET", &[1, 4, 5]),
        ("?method=post", &[2, 3]),
        ("?path=/customers", &[1, 3, 5]),
        ("?path=/api/customers", &[2]),
        ("?path=%2Fcustomers", &[1, 3, 5]),
        ("?operation=create", &[2, 3]),
        ("?operation=reportei/customers/create", &[2, 3]),
        ("?operation=delete", &[]),
        ("?pack=reportei&method=GET&status=200", &[1]),
        ("?contract=documented", &[1, 2]),
        ("?contract=assumed", &[3]),
        ("?after=3", &[4, 5]),
        ("?after=5", &[]),
        ("?limit=2", &[1, 2]),
        ("?limit=2&after=2", &[3, 4]),
        ("?status=4xx&limit=1&after=3", &[4]),
    ] {
        assert_eq!(entries(query), expected, "{query}");
    }
    assert_eq!((&list("?limit=2")["next"], &list("?limit=2")["total"]), (&json!(2), &json!(5)));
    assert_eq!(list("?limit=5")["next"], Json::Null);
    let first = list("?limit=1")["records"][0].clone();
    for (key, value) in
        [("at", json!("2024-10-01T17:15:12Z")), ("operation", json!("reportei/customers/list")), ("changes", json!(0))]
    {
        assert_eq!(first[key], value);
    }
    assert_eq!(list("?status=201")["records"][0]["changes"], 1);
}

#[test]
fn an_entry_explains_itself_with_file_and_line() {
    let server = with_exchanges();
    let show = |entry: u64| server.control("GET", &format!("/journal/{entry}"), None).expect(200).json();
    let list = show(1);
    assert_eq!(list["exchange"]["request"]["query"], "page=1");
    assert_eq!(list["exchange"]["response"]["status"], 200);
    let stages = |entry: &Json| {
        let steps = entry["exchange"]["trace"].as_array().unwrap();
        steps
            .iter()
            .map(|step| (step["stage"].as_str().unwrap().to_owned(), step["verdict"].as_str().unwrap().to_owned()))
            .collect::<Vec<_>>()
    };
    assert!(stages(&list).iter().all(|(_, verdict)| verdict == "passed"), "{:?}", stages(&list));
    for (entry, stage, file) in
        [(3, "body schema", "create.yaml:"), (4, "formats", "show.yaml:"), (5, "authenticate", "pack.yaml:")]
    {
        let entry = show(entry);
        let steps = entry["exchange"]["trace"].as_array().unwrap();
        let refused = steps.iter().find(|step| step["verdict"] == "refused").unwrap_or_else(|| panic!("{entry:#}"));
        assert_eq!(refused["stage"], stage);
        let at = refused["at"].as_str().unwrap();
        assert!(at.starts_with("fixtures/reportei/") && at.contains(file), "{at}");
        let (path, line) = at.rsplit_once(':').unwrap();
        let text = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        assert!(
            text.lines().nth(line.parse::<usize>().unwrap() - 1).is_some_and(|line| !line.trim().is_empty()),
            "{at}"
        );
    }
    let created = show(2)["exchange"]["changes"].clone();
    assert_eq!((&created[0]["verb"], &created[0]["resource"]), (&json!("create"), &json!("customer")));
}

/// Tokens stand in headers, in answers and in records; none of them is readable unless it is asked for.
#[test]
fn secrets_are_masked_wherever_a_log_is_shown() {
    let mut command = crate::server::standin();
    command.args(["serve", "reportei", "--port", "0", "--freeze", "--log", "text"]);
    let server = Server::spawn(command);
    let made = create(&server, "/customers", "Secret");
    let token = made["api_token"].as_str().unwrap().to_owned();
    server.call("GET", "/customers/settings", &[REPORTEI, ("x-customer-token", &token)], "").expect(200);
    server.call("GET", "/customers", &[("Authorization", "Bearer guessed-token")], "").expect(401);
    server.call("GET", "/customers", &[("Authorization", "guessed-token")], "").expect(401);
    server.call("GET", "/customers/settings", &[REPORTEI, ("x-customer-token", "guessed-token more")], "").expect(401);
    server.call("POST", "/customers", &[REPORTEI, JSON], r#"{"api_token":"guessed-token""#).expect(400);
    server
        .control("PATCH", &format!("/state/reportei/customer/{FIRST}"), Some(json!({ "api_token": "patched-token" })))
        .expect(200);
    let secrets = [token.as_str(), "reportei-test-token", "guessed-token", "patched-token"];
    for path in [
        "/log",
        "/log?secrets=mask",
        "/journal",
        "/journal/1",
        "/journal/2",
        "/journal/3",
        "/journal/4",
        "/journal/5",
        "/journal/6",
        "/journal/7",
    ] {
        let text = server.control("GET", path, None).expect(200).text();
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} in {path}: {text}");
        }
    }
    let masked = server.control("GET", "/journal/2", None).json()["exchange"]["request"]["headers"].clone();
    assert_eq!((&masked["authorization"], &masked["x-customer-token"]), (&json!("Bearer •••"), &json!("•••")));
    let answer = server.control("GET", "/journal/1", None).json()["exchange"]["response"]["body"]["text"]
        .as_str()
        .unwrap()
        .to_owned();
    let answer: Json = serde_json::from_str(&answer).unwrap();
    assert_eq!((&answer["customer"]["api_token"], &answer["customer"]["name"]), (&json!("•••"), &json!("Secret")));

    let all = server.control("GET", "/log?secrets=show", None).expect(200).text();
    for secret in secrets {
        assert!(all.contains(secret), "{secret}");
    }
    let text = server.control("GET", "/journal/1?secrets=show", None).expect(200).json();
    assert!(text["exchange"]["response"]["body"]["text"].as_str().unwrap().contains(&token));

    let printed = server.stderr_when(|text| text.lines().count() >= 6);
    assert!(secrets.iter().all(|secret| !printed.contains(secret)), "{printed}");
    assert!(printed.starts_with("2024-10-01T17:15:12Z POST /reportei/customers 201 #1\n"), "{printed}");
}

#[test]
fn old_entries_make_room_and_are_counted() {
    let server = Server::start(&["reportei", "--freeze", "--max-journal-entries", "3"]);
    for _ in 0..5 {
        server.api("GET", "/customers", None).expect(200);
    }
    let list = server.control("GET", "/journal", None).expect(200).json();
    assert_eq!((&list["total"], &list["evicted"]), (&json!(3), &json!(2)));
    assert_eq!(list["records"][0]["entry"], 3);
    for entry in [1, 2] {
        let detail = server.control("GET", &format!("/journal/{entry}"), None).problem(410, "entry-evicted");
        assert!(detail.contains("make room"), "{detail}");
    }
    server.control("GET", "/journal/3", None).expect(200);
    server.control("GET", "/journal/6", None).problem(404, "entry-unknown");
    assert_eq!(server.control("GET", "/log", None).json()["evicted"], 2);
}

#[test]
fn the_journal_is_bounded_in_bytes_too() {
    let server = Server::start(&["reportei", "--freeze", "--max-journal-bytes", "100000"]);
    for _ in 0..5 {
        server.api("POST", "/customers", Some(json!({ "name": "n".repeat(30_000) }))).expect(201);
    }
    let list = server.control("GET", "/journal", None).expect(200).json();
    let (total, evicted) = (list["total"].as_u64().unwrap(), list["evicted"].as_u64().unwrap());
    assert!((1..4).contains(&total) && total + evicted == 5, "{total} kept, {evicted} evicted");
}

/// The log proves how the records came to be, so it keeps what the journal forgets.
#[test]
fn an_emptied_journal_begins_anew_and_the_log_stays() {
    let server = with_exchanges();
    advance(&server, "1s");
    server.api("GET", "/customers", None).expect(200);
    server.control("DELETE", "/journal", None).expect(204);
    let journal = server.control("GET", "/journal", None).json();
    assert_eq!((&journal["total"], &journal["evicted"]), (&json!(0), &json!(0)));
    for entry in [1, 5, 7] {
        server.control("GET", &format!("/journal/{entry}"), None).problem(410, "entry-evicted");
    }
    server.control("GET", "/journal/6", None).expect(200);
    let log = server.control("GET", "/log", None).json();
    assert_eq!((&log["total"], &log["records"][0]["kind"]), (&json!(7), &json!("exchange")));
    assert_eq!(server.api("GET", "/customers", None).header("standin-entry"), Some("8"));
    assert_eq!(server.control("GET", "/journal", None).json()["records"][0]["entry"], 8);
}

#[test]
fn the_log_has_everything_in_order() {
    let server = start();
    create(&server, "/customers", "One");
    advance(&server, "1m");
    server
        .control("PATCH", &format!("/state/reportei/customer/{FIRST}"), Some(json!({ "is_paying": true })))
        .expect(200);
    server.control("POST", "/events/reportei/expire", Some(json!({ "uuid": INTEGRATION }))).expect(200);
    server.control("PUT", "/clock", Some(json!({ "mode": "frozen" }))).expect(200);
    server.api("GET", "/customers", None).expect(200);
    // What is only looked at in the control plane, and what is refused there, is not part of the story.
    server.control("GET", "/clock", None).expect(200);
    server.control("PUT", "/clock", Some(json!({}))).expect(400);
    let log = server.control("GET", "/log", None).expect(200).json();
    let records = log["records"].as_array().unwrap();
    let kinds: Vec<(u64, &str, &str)> = records
        .iter()
        .map(|entry| (entry["entry"].as_u64().unwrap(), entry["kind"].as_str().unwrap(), entry["at"].as_str().unwrap()))
        .collect();
    let (before, after) = ("2024-10-01T17:15:12Z", "2024-10-01T17:16:12Z");
    assert_eq!(
        kinds,
        [
            (1, "exchange", before),
            (2, "clock", after),
            (3, "state", after),
            (4, "event", after),
            (5, "clock", after),
            (6, "exchange", after)
        ]
    );
    assert_eq!((&log["total"], &log["next"], &log["seed"]), (&json!(6), &Json::Null, &json!(1)));
    assert_eq!(records[2]["body"], json!({ "is_paying": true }));
    assert_eq!(records[3]["input"], json!({ "uuid": INTEGRATION }));
    let piece = server.control("GET", "/log?limit=2&after=2", None).expect(200).json();
    assert_eq!((&piece["records"][0]["entry"], &piece["next"], &piece["total"]), (&json!(3), &json!(4), &json!(6)));
}

/// The number in the header leads to the entry.
#[test]
fn standin_entry_is_the_number_of_the_entry() {
    let server = with_exchanges();
    let answer = server.api("DELETE", &format!("/customers/{SECOND}"), None).expect(200);
    let entry = server
        .control("GET", &format!("/journal/{}", answer.header("standin-entry").unwrap()), None)
        .expect(200)
        .json();
    assert_eq!(
        (&entry["exchange"]["request"]["method"], &entry["exchange"]["request"]["path"]),
        (&json!("DELETE"), &json!(format!("/customers/{SECOND}")))
    );
}
