//! JUnit: a suite per file, a case per run.

use super::super::outcome::{Outcome, Run, Told};
use super::text;
use crate::junit::{self, Case, Result, Suite};

pub(super) fn write(run: &Run) -> String {
    let mut suites: Vec<Suite> = Vec::new();
    for told in &run.told {
        let case = of(told);
        match suites.last_mut().filter(|suite| suite.name == told.file) {
            Some(suite) => suite.cases.push(case),
            None => suites.push(Suite {
                name: told.file.clone(),
                file: Some(told.file.clone()),
                properties: vec![("target", run.target.clone())],
                cases: vec![case],
            }),
        }
    }
    junit::write("standin run", &suites)
}

fn of(told: &Told) -> Case {
    let message = told.message().to_owned();
    let text = || text::plain(&text::failure(told));
    let result = match told.outcome {
        Outcome::Passed => Result::Passed,
        Outcome::Failed => Result::Failed { message, text: text() },
        Outcome::Broken => Result::Broken { message, text: text() },
        Outcome::Skipped => Result::Skipped { message },
    };
    let mut properties: Vec<_> = told.tags.iter().map(|tag| ("tag", tag.clone())).collect();
    properties.extend(told.sandbox.clone().map(|sandbox| ("sandbox", sandbox)));
    properties.extend(told.seed.map(|seed| ("seed", seed.to_string())));
    Case {
        name: told.title(),
        class: if told.pack.is_empty() { &told.file } else { &told.pack }.clone(),
        place: Some((told.file.clone(), told.line)),
        took: Some(told.took),
        properties,
        result,
        printed: String::new(),
    }
}
