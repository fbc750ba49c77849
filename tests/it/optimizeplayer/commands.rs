//! The page's two curl commands, run by real curl. `tests/cases/curl` holds them as they are printed there; only the
//! server's address is put in place of the developer's machine.

use super::*;
use crate::curl::shell;

/// What a command is answered.
#[track_caller]
fn run(command: &str) -> Answer {
    let output = shell(command, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    Answer::read(&output.stdout, "GET")
}

fn documented(command: &str, base: &str) -> String {
    let text = fs::read_to_string(repository("tests/cases/curl").join(command)).unwrap();
    assert_eq!(text.matches("http://localhost:3500").count(), 1);
    text.replace("http://localhost:3500", base)
}

const COMMANDS: [(&str, &str); 2] =
    [("list-integrations.sh", "list.200.json"), ("retrieve-integration.sh", "show.200.json")];

/// They send POST, and are told the command that works, which then works (O1).
#[test]
fn o1_the_commands_of_the_page_are_answered_with_the_command_that_works() {
    let server = start(&[]);
    sandbox(&server, "mine", &json!({}));
    for base in ["", "/optimizeplayer", "/~mine", "/~mine/optimizeplayer"] {
        for (command, shown) in COMMANDS {
            let base = format!("{}{base}", server.url());
            let answer = run(&documented(command, &base)).expect(405);
            assert_eq!(answer.header("allow"), Some("GET, HEAD"));
            assert_eq!(answer.header("standin-contract"), Some("assumed"));
            let body = answer.json();
            assert_eq!(keys(&body), ["error", "message", "command"]);
            assert_eq!(body["error"], "method_not_allowed");
            let works = body["command"].as_str().unwrap();
            assert!(works.starts_with(&format!("curl -G {base}/api/v1/integrations")), "{works}");
            let answer = run(works).expect(200);
            assert_eq!(answer.text(), example(shown).to_string());
        }
    }
}

#[test]
fn o1_the_commands_of_the_page_work_as_they_are_with_the_option() {
    let server = start(&["optimizeplayer.accept-form-post"]);
    for (command, shown) in COMMANDS {
        let answer = run(&documented(command, &server.url())).expect(200);
        assert_eq!(answer.text(), example(shown).to_string());
    }
}

/// With -G they are what the page's HTTP Request lines say.
#[test]
fn o1_the_commands_work_with_g() {
    let server = start(&[]);
    for (command, shown) in COMMANDS {
        let command = documented(command, &server.url());
        let answer = run(&format!("{} -G", command.trim_end())).expect(200);
        assert_eq!(answer.text(), example(shown).to_string());
    }
}

/// The command is pasted into a shell: only digits of the path come back.
#[test]
fn o1_the_command_repeats_nothing_but_digits() {
    let server = start(&[]);
    for id in ["$(reboot)", "%24%28reboot%29", "1;reboot", "%60reboot%60", "1%0Areboot", "%22", "-1", "%FF"] {
        let answer = post(&server, &format!("{LIST}/{id}"), "api_key=$(reboot)");
        if answer.status == 405 {
            let command = answer.json()["command"].as_str().unwrap().to_owned();
            assert_eq!(command, format!("curl -G {}{LIST}/1 -d api_key=test_key", server.url()));
        } else {
            refused(&answer, 400, "bad_request");
        }
    }
}
