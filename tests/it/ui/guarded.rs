//! What strangers learn of pages, and what no form changes.

use super::*;

const TOKEN: &str = "0123456789-the-token";

#[test]
fn whoever_has_no_token_learns_nothing_from_files_of_pages() {
    let server = Server::start(&["reportei", "--freeze", "--token", TOKEN]);
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("Authorization", bearer.as_str()), crate::server::JSON];
    server.call("POST", "/_standin/sandboxes", &headers, r#"{"id":"quite-private"}"#).expect(201);
    server.get("/_standin/ui/assets/ui.css").expect(200);
    for path in ["nothing", "", "%ff", "../journal", "a/b"] {
        for prefix in ["", "/~anything"] {
            let answer = server.get(&format!("{prefix}/_standin/ui/assets/{path}"));
            assert!(matches!(answer.status, 303 | 404), "{path}: {answer}");
            assert!(
                !answer.text().contains("quite-private") && !answer.text().contains("2024-10-01"),
                "{path}: {answer}"
            );
        }
    }
}

#[test]
fn a_form_that_is_sent_without_the_token_leads_to_where_it_is_asked_for() {
    let server = Server::start(&["reportei", "--freeze", "--token", TOKEN]);
    let origin = server.url();
    let referer = format!("{origin}/_standin/ui/clock?a=b");
    let sent = [("Origin", origin.as_str()), FORM, ("Referer", referer.as_str())];
    let answer = server.call("POST", "/_standin/ui/clock/advance", &sent, "by=1d").expect(303);
    assert_eq!(answer.header("location"), Some("/_standin/ui/login?to=%2F_standin%2Fui%2Fclock%3Fa%3Db"));
    let part = [sent.as_slice(), &[("HX-Request", "true")]].concat();
    let answer = server.call("POST", "/_standin/ui/clock/advance", &part, "by=1d").expect(401);
    assert_eq!(answer.header("hx-redirect"), Some("/_standin/ui/login?to=%2F_standin%2Fui%2Fclock%3Fa%3Db"));
    let long = "x".repeat(3 << 20);
    server.call("POST", "/_standin/ui/login", &[("Origin", &origin), FORM], &long).problem(413, "body-too-large");
}

#[test]
fn a_form_that_is_refused_has_changed_nothing() {
    let server = Server::start(&["reportei", "--freeze"]);
    post(&server, "/clock/quick/mode", "mode=ticking&back=https%3A%2F%2Fevil.example").expect(400);
    assert_eq!(server.control("GET", "/clock", None).json()["mode"], "frozen");
}

#[test]
fn of_several_types_the_one_that_runs_scripts_counts() {
    let server = Server::start(&["reportei", "--freeze"]);
    let stub = json!({
        "request": { "method": "GET", "urlPath": "/reportei/page" },
        "response": { "headers": { "Content-Type": ["text/plain", "text/html"] }, "body": "<script>1</script>" },
    });
    server.control("POST", "/stubs", Some(stub)).expect(201);
    let answer = server.get("/reportei/page").expect(200);
    assert!(
        answer.header("content-security-policy").is_some_and(|policy| policy.contains("default-src 'none'")),
        "{answer}"
    );
}
