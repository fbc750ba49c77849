//! The ten curl commands of the documentation's pages on customers and their integrations, run by real curl. `tests/cases/curl` holds them as
//! they are printed there; only the server's address is put in place of the vendor's.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value as Json, json};

use crate::server::{Answer, Server};
use crate::support::keys;

const FIRST: &str = "caedbbbe-7d93-476f-b965-bf97cd7ce874";
const SECOND: &str = "073c1e15-94d0-49b3-9861-a0e9b7ffb06c";

/// An integration of the second customer, whose token the commands have.
const INTEGRATION: &str = "6110b666-0327-4a81-b48e-9feb34d72f78";

/// Where a client may point its base URL: at the pack's prefix or, with one pack, at the root; with `/api` or without.
const BASES: [&str; 4] = ["", "/api", "/reportei", "/reportei/api"];

fn run(command: &str, base: &str, uuid: Option<&str>) -> Output {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/curl").join(format!("{command}.sh"));
    let documented = fs::read_to_string(&file).unwrap();
    assert_eq!(documented.matches("https://connect.reportei.com").count(), 1);
    let script = documented.replace("https://connect.reportei.com", base);
    let customer = format!("token-{SECOND}");
    let mut variables = vec![("ACCESS_TOKEN", "reportei-test-token"), ("CUSTOMER_TOKEN", &customer)];
    variables.extend(uuid.map(|uuid| ("uuid", uuid)));
    shell(&script, &variables)
}

/// Runs a script with nothing but these variables and the path in its environment. Its curl shows the head of the
/// answer because its configuration says so: the command stays as it is.
pub(crate) fn shell(script: &str, variables: &[(&str, &str)]) -> Output {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join(".curlrc"), "include\nmax-time = 30\n").unwrap();
    let mut bash = Command::new("bash");
    bash.arg("-c").arg(script).env_clear().env("CURL_HOME", home.path());
    if let Some(path) = std::env::var_os("PATH") {
        bash.env("PATH", path);
    }
    bash.envs(variables.iter().copied()).output().expect("bash and curl are there")
}

/// Runs a command on a fresh server for every base URL, and shows each answer, with the server, to `look`.
fn everywhere(command: &str, look: impl Fn(&Answer, &Server, &str)) {
    everywhere_with(command, FIRST, look);
}

fn everywhere_with(command: &str, uuid: &str, look: impl Fn(&Answer, &Server, &str)) {
    for base in BASES {
        let server = Server::start(&["reportei", "--freeze"]);
        let output = run(command, &format!("{}{base}", server.url()), Some(uuid));
        assert_eq!(output.status.code(), Some(0), "{base}: {}", String::from_utf8_lossy(&output.stderr));
        look(&Answer::read(&output.stdout, "GET"), &server, base);
    }
}

fn example(name: &str) -> Json {
    part_of("customers", name)
}

fn part_of(topic: &str, name: &str) -> Json {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reportei").join(topic).join(name);
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// It has neither body nor content type, although an example of a body exists (R6).
#[test]
fn command_1_create_session_gives_an_integration_session() {
    everywhere("create-session", |answer, server, base| {
        assert_eq!(answer.status, 200, "{answer}");
        let body = answer.json();
        let session = &body["integration_session"];
        let expected = part_of("customer-integrations", "create-session.200.json");
        assert_eq!(keys(session), keys(&expected["integration_session"]));
        for key in ["merchant", "merchant_uuid", "customer_uuid"] {
            assert_eq!(session[key], expected["integration_session"][key], "{key}");
        }
        let root = base.trim_end_matches("/api");
        let link = format!(
            "{}{root}/customer-integrations/session/{}",
            server.url(),
            session["session_uuid"].as_str().unwrap()
        );
        assert_eq!(session["session_link"], json!(link));
        assert_eq!(session["expires_at"], "2024-10-01T17:20:12.000000Z");
        assert_eq!(session["redirect_url"], Json::Null);
        server.get(&link[server.url().len()..]).expect(200);
    });
}

#[test]
fn command_2_show_gives_the_integration() {
    everywhere_with("show-integration", INTEGRATION, |answer, _, _| {
        assert_eq!(answer.status, 200, "{answer}");
        // The page shows another integration than the one that this customer has (R11); they differ in id and time.
        let mut expected = part_of("customer-integrations", "show.200.json");
        expected["customer_integration"]["uuid"] = json!(INTEGRATION);
        expected["customer_integration"]["created_at"] = json!("2024-09-24 19:06:08");
        expected["customer_integration"]["updated_at"] = json!("2024-09-24 19:06:08");
        assert_eq!(answer.text(), expected.to_string());
    });
}

/// Without `-X DELETE` it reads, and without the customer's token it may not (R2).
#[test]
fn command_3_delete_really_is_a_get_and_deletes_nothing() {
    everywhere_with("delete-integration", INTEGRATION, |answer, server, _| {
        assert_eq!(answer.status, 401, "{answer}");
        assert_eq!(answer.json(), json!({ "message": "Invalid Customer Token" }));
        assert_eq!(answer.header("standin-operation"), Some("reportei/customer-integrations/show"));
        server.control("GET", &format!("/state/reportei/integration/{INTEGRATION}"), None).expect(200);
    });
}

#[test]
fn command_4_list_gives_data_and_meta() {
    everywhere("list", |answer, server, base| {
        assert_eq!(answer.status, 200, "{answer}");
        let mut expected = example("list.200.json");
        expected["meta"]["path"] = json!(format!("{}{}/api/customers", server.url(), base.trim_end_matches("/api")));
        assert_eq!(answer.text(), expected.to_string(), "also the order of the keys");
        assert_eq!(answer.header("standin-operation"), Some("reportei/customers/list"));
    });
}

#[test]
fn command_5_show_gives_the_customer() {
    everywhere("show", |answer, _, _| {
        assert_eq!(answer.status, 200, "{answer}");
        assert_eq!(answer.text(), example("show.200.json").to_string());
    });
}

#[test]
fn command_6_settings_gives_the_customer_of_the_token_with_its_integrations() {
    everywhere("settings", |answer, _, _| {
        assert_eq!(answer.status, 200, "{answer}");
        // The page contradicts its own list about the name and the payment status of this customer (R10).
        let mut expected = example("settings.200.json");
        expected["customer"]["name"] = json!("Reportei Customer 2");
        expected["customer"]["is_paying"] = json!(true);
        assert_eq!(answer.text(), expected.to_string());
    });
}

#[test]
fn command_7_create_gives_201_with_api_token() {
    everywhere("create", |answer, server, _| {
        assert_eq!(answer.status, 201, "{answer}");
        let body = answer.json();
        let example = example("create.201.json");
        assert_eq!(keys(&body["customer"]), keys(&example["customer"]));
        for key in ["name", "created_at", "updated_at", "trial_ends_at", "is_paying", "merchant"] {
            assert_eq!(
                body["customer"][key], example["customer"][key],
                "{key}: the clock starts at the example's instant"
            );
        }
        let token = body["customer"]["api_token"].as_str().unwrap();
        assert!(token.len() == 64 && token.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{token}");
        assert_eq!(server.world()["customer"]["total"], 4);
    });
}

#[test]
fn command_8_update_gives_the_renamed_customer_without_api_token() {
    everywhere("update", |answer, _, _| {
        assert_eq!(answer.status, 200, "{answer}");
        let mut expected = example("show.200.json");
        expected["customer"]["name"] = json!("Reportei Customer 3.1");
        expected["customer"]["updated_at"] = json!("2024-10-01 17:15:12");
        assert_eq!(answer.text(), expected.to_string());
    });
}

/// The later `-X` wins, and the URL has no uuid: what is sent is `PUT /customers` (R3).
#[test]
fn command_9_delete_really_is_a_put_and_changes_nothing() {
    for base in BASES {
        let server = Server::start(&["reportei", "--freeze"]);
        let before = server.world();
        let output = run("delete", &format!("{}{base}", server.url()), Some(FIRST));
        assert_eq!(output.status.code(), Some(0));
        let answer = Answer::read(&output.stdout, "PUT");
        let detail = answer.problem(405, "method-not-allowed");
        assert!(detail.contains("PUT"), "{detail}");
        let mut allowed: Vec<&str> = answer.header("allow").unwrap().split(", ").collect();
        allowed.sort_unstable();
        assert_eq!(allowed, ["GET", "HEAD", "POST"]);
        let near = answer.json()["nearMisses"].clone();
        let update =
            near.as_array().unwrap().iter().find(|miss| miss["operation"] == "reportei/customers/update").unwrap();
        assert!(update["difference"].as_str().unwrap().contains("`{uuid}` is missing"), "{update}");
        assert_eq!(server.world(), before);
    }
}

#[test]
fn command_10_payment_status_says_that_the_customer_pays() {
    everywhere("update-payment-status", |answer, server, _| {
        assert_eq!(answer.status, 200, "{answer}");
        assert_eq!(answer.json(), example("update-payment-status.200.json"));
        let record = server.control("GET", &format!("/state/reportei/customer/{FIRST}"), None).json();
        assert_eq!(record["is_paying"], true);
    });
}

/// `{$uuid}` is a list of one element for curl, and an empty list is an error (R7).
#[test]
fn r7_without_uuid_curl_stops_with_3_and_sends_nothing() {
    let server = Server::start(&["reportei", "--freeze"]);
    for command in ["show-integration", "delete-integration", "show", "update", "update-payment-status"] {
        let output = run(command, &server.url(), None);
        assert_eq!(output.status.code(), Some(3), "{command}");
        assert_eq!(output.stdout, b"");
    }
    assert_eq!(server.control("GET", "/journal", None).json()["total"], 0);
}

/// Commands without a uuid in their URL do not need it.
#[test]
fn r7_the_other_commands_do_not_need_uuid() {
    let server = Server::start(&["reportei", "--freeze"]);
    for (command, status) in
        [("create-session", 200), ("list", 200), ("settings", 200), ("create", 201), ("delete", 405)]
    {
        let output = run(command, &server.url(), None);
        assert_eq!(Answer::read(&output.stdout, "GET").status, status, "{command}");
    }
}
