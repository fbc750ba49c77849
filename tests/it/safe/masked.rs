//! Secrets, wherever they are shown.

use super::*;

/// Everything that tells of the exchanges of a server, as it is shown when nothing is asked for.
fn told(server: &Server, entries: u64) -> Vec<(String, String)> {
    let lists = ["/journal", "/journal?format=har", "/journal/unmatched", "/log", "/log?secrets=mask"];
    let mut paths: Vec<String> = lists.map(str::to_owned).to_vec();
    paths.extend((1..=entries).map(|entry| format!("/journal/{entry}")));
    let texts = paths.into_iter().map(|path| {
        let text = server.control("GET", &path, None).expect(200).text();
        (path, text)
    });
    texts.collect()
}

#[track_caller]
fn hidden(server: &Server, entries: u64, secrets: &[&str]) {
    for (path, text) in told(server, entries) {
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} in {path}: {text}");
        }
    }
    let all = server.control("GET", "/log?secrets=show", None).expect(200).text();
    for secret in secrets {
        assert!(all.contains(secret), "{secret} is not shown when it is asked for: {all}");
    }
}

/// A client may repeat its credential anywhere; it is a secret there, too.
#[test]
fn a_credential_is_masked_wherever_the_request_repeats_it() {
    for log in ["text", "json"] {
        let mut command = standin();
        command.args(["serve", "reportei", "--port", "0", "--freeze", "--log", log]);
        let server = Server::spawn(command);
        let secret = "the-real-token";
        let auth = ("Authorization", "Bearer the-real-token");
        let referer = ("Referer", "https://app.example/%74he-real-token/?t=the-real-token");
        let custom = ("X-Trace", "a the-real-token b");
        server.call("GET", "/customers/the-real-token", &[auth, referer, custom], "");
        server.call("GET", "/nothing/%74he-real%2Dtoken/x", &[auth], "");
        server.call("GET", "/customers?page=the-real-token&x=%74he-real-token", &[auth], "");
        server.call("POST", "/customers", &[auth, JSON], r#"{"name":"the-real-token"}"#);
        server.call("POST", "/customers", &[auth, JSON], b"\xff the-real-token".as_slice());
        hidden(&server, 5, &[secret]);
        for (path, text) in told(&server, 5) {
            assert!(!text.contains("%74he-real"), "an encoded secret in {path}: {text}");
        }
        let entry = |number: u64| server.control("GET", &format!("/journal/{number}"), None).json()["exchange"].clone();
        assert_eq!(entry(1)["request"]["path"], "/customers/•••");
        assert_eq!(entry(1)["request"]["headers"]["x-trace"], "a ••• b");
        assert_eq!(entry(2)["request"]["path"], "/nothing/•••/x");
        assert!(entry(2)["response"]["body"]["text"].as_str().unwrap().contains("•••"), "a near miss quotes the path");
        assert_eq!(entry(3)["request"]["query"], "page=•••&x=•••");
        assert_eq!(entry(4)["request"]["body"]["text"], r#"{"name":"•••"}"#);
        assert_eq!(entry(5)["request"]["body"]["text"], MASK);
        assert_eq!(server.control("GET", "/journal", None).json()["records"][0]["path"], "/customers/•••");
        let printed = server.stderr_when(|text| text.lines().count() >= 5);
        assert!(!printed.contains("real-token") && !printed.contains("real%2Dtoken"), "{printed}");
        let shown = if log == "json" { "/customers/•••" } else { "/customers/\\u{2022}" };
        assert!(printed.contains("/customers/•••") || printed.contains(shown), "{printed}");
    }
}

/// A client may send a real credential to the wrong server.
#[test]
fn credentials_and_cookies_are_masked_whatever_the_pack_says() {
    let (server, _folder) = two_packs(&[]);
    let headers = [
        ("Authorization", "Bearer somebodys-real-token"),
        ("Proxy-Authorization", "Basic c29tZWJvZHk6cHJveHktcGFzc3dvcmQ="),
        ("Cookie", "theme=dark; session=request-cookie-1"),
        ("X-Copy", "request-cookie-1 proxy-password"),
    ];
    server.call("GET", "/notes/moved?api_key=documented-key", &headers, "").expect(302);
    hidden(
        &server,
        1,
        &[
            "somebodys-real-token",
            "c29tZWJvZHk6cHJveHktcGFzc3dvcmQ",
            "proxy-password",
            "request-cookie-1",
            "response-cookie-1",
            "documented-key",
        ],
    );
    let exchange = server.control("GET", "/journal/1", None).json()["exchange"].clone();
    let (request, response) = (&exchange["request"]["headers"], &exchange["response"]["headers"]);
    assert_eq!(exchange["request"]["query"], "api_key=•••");
    assert_eq!(request["authorization"], "Bearer •••");
    assert_eq!(request["proxy-authorization"], "Basic •••");
    assert_eq!((&request["cookie"], &request["x-copy"]), (&json!(MASK), &json!("••• •••")));
    assert_eq!((&response["set-cookie"], &response["location"]), (&json!(MASK), &json!("/next/•••")));
}

#[test]
fn passwords_of_forms_and_of_basic_are_masked() {
    let server = case("tokens", &[]);
    server.call("POST", "/token", &[FORM], "grant_type=password&username=ann&password=form-password").expect(400);
    server.call("POST", "/token", &[FORM], "grant_type=password&username=ann&pass%77ord=f%6frm-password").expect(400);
    // ann:basic-password
    server
        .call("GET", "/by-any?x=basic-password", &[("Authorization", "Basic YW5uOmJhc2ljLXBhc3N3b3Jk")], "")
        .expect(401);
    server.call("GET", "/by-any?api_key=guessed-key-1&again=guessed-key-1", &[], "");
    let secrets = ["form-password", "f%6frm-password", "basic-password", "YW5uOmJhc2ljLXBhc3N3b3Jk", "guessed-key-1"];
    for (path, text) in told(&server, 4) {
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} in {path}: {text}");
        }
    }
    let request =
        |entry: u64| server.control("GET", &format!("/journal/{entry}"), None).json()["exchange"]["request"].clone();
    assert_eq!(request(1)["body"]["text"], "grant_type=password&username=ann&password=•••");
    assert_eq!(request(2)["body"]["text"], "grant_type=password&username=ann&pass%77ord=•••");
    assert_eq!((&request(3)["query"], &request(3)["headers"]["authorization"]), (&json!("x=•••"), &json!("Basic •••")));
    assert_eq!(request(4)["query"], "api_key=•••&again=•••");
    assert_eq!(
        server.control("GET", "/journal/1?secrets=show", None).json()["exchange"]["request"]["body"]["text"],
        "grant_type=password&username=ann&password=form-password"
    );
}

/// What an answer shows as secret is secret in the rest of the entry.
#[test]
fn a_secret_of_the_answer_is_masked_in_the_request() {
    let server = start();
    let made = server.api("POST", "/customers", Some(json!({ "name": "x" }))).expect(201).json();
    let token = made["customer"]["api_token"].as_str().unwrap();
    server.call("GET", &format!("/customers/{token}"), &[REPORTEI, ("x-customer-token", token)], "").expect(404);
    hidden(&server, 2, &[token]);
}

/// The id of a record that is secret stands in paths under its name, and in links that no field is.
#[test]
fn an_id_that_is_secret_is_masked_in_paths_and_links() {
    for log in ["text", "json"] {
        let [fixtures, schemas] = ["fixtures", "schemas"].map(|part| format!("tests/cases/format/secret-links/{part}"));
        let mut command = standin();
        command.args(["serve", "post", "--fixtures", &fixtures, "--schemas", &schemas]);
        command.args(["--port", "0", "--freeze", "--log", log]);
        let server = Server::spawn(command);
        let link = server.call("POST", "/letters", &[], "").expect(201).json()["link"].as_str().unwrap().to_owned();
        let token = link.rsplit('/').next().unwrap();
        server.get(&format!("/letters/{token}")).expect(200);
        server.get("/post/letters/first%2Dsecret-link").expect(200);
        server.get("/letters/another-secret-link").expect(404);
        hidden(&server, 4, &[token, "another-secret-link"]);
        let entry = |number: u64| server.control("GET", &format!("/journal/{number}"), None).json()["exchange"].clone();
        assert_eq!(entry(1)["changes"][0]["id"], MASK);
        assert!(entry(1)["response"]["body"]["text"].as_str().unwrap().ends_with("/letters/•••\"}"), "{}", entry(1));
        assert_eq!(entry(2)["request"]["path"], "/letters/•••");
        assert_eq!(entry(3)["request"]["path"], "/letters/•••");
        let load = entry(4)["trace"].as_array().unwrap().iter().find(|step| step["stage"] == "load").cloned();
        assert_eq!(load.unwrap()["detail"], "there is no `letter` with this `token`");
        let printed = server.stderr_when(|text| text.lines().count() >= 4);
        assert!(!printed.contains(token) && !printed.contains("secret-link"), "{printed}");
    }
}

#[test]
fn what_events_are_told_is_masked() {
    let (server, _folder) = two_packs(&[]);
    let fired =
        server.control("POST", "/events/notes/tell", Some(json!({ "id": 1, "key": "told-secret-1" }))).expect(200);
    assert_eq!(fired.json()["input"], json!({ "id": 1, "key": MASK }));
    hidden(&server, 0, &["told-secret-1"]);
}

// ---- records ----

#[test]
fn records_show_their_secrets_only_when_asked() {
    let server = start();
    let get = |path: &str| server.control("GET", &format!("/state/reportei/{path}"), None).expect(200).json();
    let token = json!(format!("token-{FIRST}"));
    for query in ["", "?secrets=mask"] {
        assert_eq!(get(&format!("customer{query}"))["records"][0]["api_token"], MASK);
        assert_eq!(get(&format!("customer/{FIRST}{query}"))["api_token"], MASK);
        assert_eq!(get(&format!("merchant{query}"))["records"][1]["access_token"], MASK);
    }
    assert_eq!(get("customer?secrets=show")["records"][0]["api_token"], token);
    assert_eq!(get(&format!("customer/{FIRST}?secrets=show"))["api_token"], token);
    for path in ["customer", &format!("customer/{FIRST}")] {
        server.control("GET", &format!("/state/reportei/{path}?secrets=yes"), None).problem(400, "secrets-invalid");
    }
    let patched = |query: &str| {
        server.control(
            "PATCH",
            &format!("/state/reportei/customer/{FIRST}{query}"),
            Some(json!({ "api_token": "new-secret-1" })),
        )
    };
    assert_eq!(patched("").expect(200).json()["api_token"], MASK);
    assert_eq!(patched("?secrets=show").expect(200).json()["api_token"], "new-secret-1");
    patched("?secrets=yes").problem(400, "secrets-invalid");
    hidden(&server, 0, &["new-secret-1"]);
}

#[test]
fn a_record_can_be_sent_back_as_it_was_shown() {
    let server = start();
    let path = format!("/state/reportei/customer/{FIRST}");
    let secret = || server.control("GET", &format!("{path}?secrets=show"), None).json()["api_token"].clone();
    let token = secret();
    for method in ["PUT", "PATCH"] {
        let mut record = server.control("GET", &path, None).json();
        record["name"] = json!(method);
        let answer = server.control(method, &path, Some(record)).expect(200).json();
        assert_eq!((&answer["name"], &answer["api_token"], secret()), (&json!(method), &json!(MASK), token.clone()));
    }
    let kept = server.control("GET", "/log?secrets=show", None).json()["records"][0]["body"]["api_token"].clone();
    assert_eq!(kept, token, "the log can be sent again to a world that has another secret");
    server.control("PATCH", &path, Some(json!({ "api_token": "x•••" }))).expect(200);
    assert_eq!(secret(), "x•••", "only the whole mask is one");
}

#[test]
fn the_mask_is_no_secret() {
    let server = start();
    let watch = server.watch();
    let mut record = server.control("GET", &format!("/state/reportei/customer/{FIRST}"), None).json();
    record.as_object_mut().unwrap().remove("uuid");
    let new = "/state/reportei/customer/00000000-0000-4000-8000-000000000000";
    for (method, path) in [("POST", "/state/reportei/customer"), ("PUT", new)] {
        let detail = server.control(method, path, Some(record.clone())).problem(422, "record-invalid");
        assert_eq!(detail, "`api_token` is `•••`, the mask of a secret, and there is none: send the secret itself.");
    }
    server.control("PATCH", new, Some(json!({ "api_token": MASK }))).problem(404, "record-unknown");
    watch.unharmed();
    let (server, _folder) = two_packs(&[]);
    let detail =
        server.control("PATCH", "/state/notes/note/2", Some(json!({ "key": MASK }))).problem(422, "record-invalid");
    assert!(detail.contains("there is none"), "{detail}");
}

#[test]
fn a_refusal_does_not_quote_a_secret() {
    let server = start();
    let path = format!("/state/reportei/customer/{FIRST}");
    for value in [json!(1_234_567_890), json!(["nested-secret"]), json!({ "a": "nested-secret" })] {
        let answer = server.control("PATCH", &path, Some(json!({ "api_token": value })));
        answer.problem(422, "record-invalid");
        assert!(!answer.text().contains("1234567890") && !answer.text().contains("nested-secret"), "{answer}");
    }
}
