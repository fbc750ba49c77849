use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use imbl::OrdMap;

use super::asked::Asked;
use super::mapping::{STARTED, Scenario, Stub};
use super::nearest::Difference;
use super::request::{Compared, Verdict};

/// All stubs of a sandbox, with how far their scenarios are and how often each will answer yet. A copy shares everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stubs {
    /// In the order in which they are tried.
    held: OrdMap<Rank, Held>,
    ranks: OrdMap<Arc<str>, Rank>,
    /// The states of scenarios that are not in the first one.
    states: OrdMap<Arc<str>, Arc<str>>,
    /// How many were ever added.
    added: u64,
    bytes: usize,
}

/// The smallest priority first; of equal ones what was added last.
type Rank = (u32, Reverse<u64>);

#[derive(Debug, Clone)]
struct Held {
    stub: Arc<Stub>,
    /// How often it answers yet.
    left: Option<u32>,
}

/// A stub that answers a request.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) stub: Arc<Stub>,
    /// The next stub that matches as well.
    pub(crate) also: Option<Arc<Stub>>,
    /// What the stubs are once it has answered, where that is something else.
    pub(crate) after: Option<Stubs>,
}

/// There is no room for another stub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    Count(usize),
    Bytes(usize),
}

/// Why a scenario is not put into a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoState {
    /// No stub has such a scenario.
    Scenario,
    /// No stub asks for it or leads to it; those that there are.
    State(Vec<Arc<str>>),
}

/// One stub at this moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Story<'s> {
    pub(crate) stub: &'s Arc<Stub>,
    /// How often it answers yet.
    pub(crate) left: Option<u32>,
    /// The state of its scenario.
    state: &'s str,
    /// Its number among all that were ever added.
    pub(super) added: u64,
}

impl Story<'_> {
    fn is_ready(&self) -> bool {
        let required = self.stub.scenario.as_ref().and_then(|scenario| scenario.required.as_deref());
        self.left != Some(0) && required.is_none_or(|required| required == self.state)
    }

    fn matches(&self, asked: &Asked<'_>) -> bool {
        match self.is_ready().then(|| self.stub.request.judge(asked)) {
            Some(Verdict::Meant) => true,
            Some(Verdict::GivenUp(place)) => {
                asked.pass_over(self.stub.label(), &place);
                false
            }
            Some(Verdict::Other) | None => false,
        }
    }

    /// How far a request is from being answered by it, and why.
    pub(super) fn compare(&self, asked: &Asked<'_>) -> (f64, Vec<Difference>) {
        let (far, mut differences) = self.stub.request.compare(asked);
        let mut compared = Compared::default();
        compared.weigh(REQUEST, far);
        if let Some(Scenario { name, required: Some(required), .. }) = &self.stub.scenario {
            let far = if **required == *self.state { 0.0 } else { 1.0 };
            compared.add(1.0, far, || {
                Difference::new("scenario", Some(name), format!("the state `{required}`"), Some(self.state))
            });
        }
        if let (Some(times), Some(0)) = (self.stub.times, self.left) {
            compared.add(1.0, 1.0, || Difference::new("times", None, format!("at most {times} answers"), None));
        }
        let (distance, more) = compared.finish();
        differences.extend(more);
        (distance, differences)
    }
}

/// How much the request counts beside a scenario and the number of uses.
const REQUEST: f64 = 10.0;

impl Stubs {
    pub(crate) const MOST: usize = 1000;
    pub(crate) const BYTES: usize = 64 << 20;

    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }

    /// The stubs, in the order in which they are tried.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Story<'_>> {
        self.held.iter().map(|(rank, held)| self.story(*rank, held))
    }

    fn story<'s>(&'s self, rank: Rank, held: &'s Held) -> Story<'s> {
        let name = held.stub.scenario.as_ref().map(|scenario| &scenario.name);
        let state = name.map_or(STARTED, |name| self.state(name));
        Story { stub: &held.stub, left: held.left, state, added: rank.1.0 }
    }

    pub(crate) fn get(&self, id: &str) -> Option<Story<'_>> {
        let rank = self.ranks.get(id)?;
        self.held.get(rank).map(|held| self.story(*rank, held))
    }

    /// What answers a request. All conditions are held against one state of the scenarios.
    pub(crate) fn serve(&self, asked: &Asked<'_>) -> Option<Served> {
        let mut matching = self.held.iter().filter(|(rank, held)| self.story(**rank, held).matches(asked));
        let (rank, held) = matching.next()?;
        let also = matching.next().map(|(_, held)| Arc::clone(&held.stub));
        Some(Served { stub: Arc::clone(&held.stub), also, after: self.after(*rank, held) })
    }

    /// What the stubs are once one of them has answered, where that is something else.
    fn after(&self, rank: Rank, held: &Held) -> Option<Stubs> {
        let moves =
            held.stub.scenario.as_ref().and_then(|scenario| scenario.next.as_ref().map(|next| (scenario, next)));
        let moves = moves.filter(|(scenario, next)| self.state(&scenario.name) != &***next);
        if moves.is_none() && held.left.is_none() {
            return None;
        }
        let mut after = self.clone();
        if let Some(left) = held.left {
            after.held.insert(rank, Held { left: Some(left.saturating_sub(1)), stub: Arc::clone(&held.stub) });
        }
        if let Some((scenario, next)) = moves {
            after.enter(&scenario.name, next);
        }
        Some(after)
    }

    /// Adds a stub, or puts it in the place of the one that has its id.
    pub(crate) fn put(&mut self, stub: Arc<Stub>) -> Result<(), Full> {
        let before = self.ranks.get(&stub.id).copied();
        let freed = before.and_then(|rank| self.held.get(&rank)).map_or(0, |held| held.stub.size);
        if before.is_none() && self.held.len() >= Self::MOST {
            return Err(Full::Count(Self::MOST));
        }
        if self.bytes - freed + stub.size > Self::BYTES {
            return Err(Full::Bytes(Self::BYTES));
        }
        self.bytes = self.bytes - freed + stub.size;
        let added = match before {
            Some(rank) => {
                self.held.remove(&rank);
                rank.1
            }
            None => {
                self.added += 1;
                Reverse(self.added)
            }
        };
        let rank = (stub.priority, added);
        self.ranks.insert(Arc::clone(&stub.id), rank);
        self.held.insert(rank, Held { left: stub.times, stub });
        self.settle();
        Ok(())
    }

    /// Takes a stub away, if it is there.
    pub(crate) fn remove(&mut self, id: &str) -> Option<Arc<Stub>> {
        let held = self.held.remove(&self.ranks.remove(id)?)?;
        self.bytes -= held.stub.size;
        self.settle();
        Some(held.stub)
    }

    /// How many were ever added.
    pub(crate) fn added(&self) -> u64 {
        self.added
    }

    /// Goes on as if so many had been added.
    pub(super) fn go_on(&mut self, added: u64) {
        self.added = self.added.max(added);
    }

    /// Leaves a stub that many answers.
    pub(super) fn use_up(&mut self, id: &str, left: u32) {
        if let Some(held) = self.ranks.get(id).and_then(|rank| self.held.get_mut(rank)) {
            held.left = Some(left);
        }
    }

    /// Takes all away.
    /// Takes away all but those with these ids.
    pub(crate) fn retain(&mut self, ids: &[&str]) {
        let others = self.iter().map(|story| Arc::clone(&story.stub.id)).filter(|id| !ids.contains(&&**id));
        for id in others.collect::<Vec<_>>() {
            self.remove(&id);
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Stubs { added: self.added, ..Stubs::default() };
    }

    /// Scenarios that no stub has any more are forgotten.
    fn settle(&mut self) {
        let gone: Vec<Arc<str>> = self.states.keys().filter(|name| self.states_of(name).is_empty()).cloned().collect();
        for name in gone {
            self.states.remove(&name);
        }
    }

    /// The state of a scenario.
    pub(crate) fn state(&self, scenario: &str) -> &str {
        self.states.get(scenario).map_or(STARTED, |state| state)
    }

    fn enter(&mut self, scenario: &Arc<str>, state: &Arc<str>) {
        if **state == *STARTED {
            self.states.remove(scenario);
        } else {
            self.states.insert(Arc::clone(scenario), Arc::clone(state));
        }
    }

    /// The scenarios that stubs have, by name.
    pub(crate) fn scenarios(&self) -> BTreeSet<Arc<str>> {
        self.scenes().map(|scenario| Arc::clone(&scenario.name)).collect()
    }

    fn scenes(&self) -> impl Iterator<Item = &Scenario> {
        self.held.values().filter_map(|held| held.stub.scenario.as_ref())
    }

    /// The states that stubs of a scenario ask for or lead to; none where no stub has it.
    pub(crate) fn states_of(&self, scenario: &str) -> BTreeSet<Arc<str>> {
        let of = self.scenes().filter(|scene| *scene.name == *scenario);
        let states = |scene: &Scenario| {
            [Some(Arc::from(STARTED)), scene.required.clone(), scene.next.clone()].into_iter().flatten()
        };
        of.flat_map(states).collect()
    }

    /// Puts a scenario into a state; into the first one where none is said.
    pub(crate) fn set_state(&mut self, scenario: &str, state: Option<&str>) -> Result<(), NoState> {
        let known = self.states_of(scenario);
        if known.is_empty() {
            return Err(NoState::Scenario);
        }
        let Some(state) = known.get(state.unwrap_or(STARTED)).cloned() else {
            return Err(NoState::State(known.into_iter().collect()));
        };
        self.enter(&Arc::from(scenario), &state);
        Ok(())
    }

    /// Puts all scenarios into their first state.
    pub(crate) fn reset_scenarios(&mut self) {
        self.states = OrdMap::new();
    }

    /// What is noted about a stub, beside the others that there are now.
    pub(crate) fn notes(&self, stub: &Stub) -> Vec<String> {
        let mut notes = stub.notes.clone();
        if let Some(Scenario { name, required: Some(required), .. }) = &stub.scenario
            && **required != *STARTED
            && !self.scenes().any(|scene| scene.name == *name && scene.next.as_ref() == Some(required))
        {
            notes.push(format!("no stub leads to the state `{required}` of the scenario `{name}`"));
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::stub::PassedOver;
    use crate::stub::samples::{asked, named, request};
    use serde_json::Value as Json;

    fn all(stubs: impl IntoIterator<Item = Stub>) -> Stubs {
        let mut all = Stubs::default();
        for stub in stubs {
            all.put(Arc::new(stub)).unwrap();
        }
        all
    }

    /// The names of the stubs that answer the same request again and again.
    fn served(stubs: &mut Stubs, line: &str, times: usize) -> Vec<String> {
        let request = request(line, &[], b"");
        let serve = |_| match stubs.serve(&asked(&request)) {
            None => "none".to_owned(),
            Some(Served { stub, after, .. }) => {
                *stubs = after.unwrap_or_else(|| stubs.clone());
                stub.label().to_owned()
            }
        };
        (0..times).map(serve).collect()
    }

    #[test]
    fn the_smallest_priority_is_first_and_of_equal_ones_the_last_added() {
        let any = |more: Json| {
            let mut all = json!({ "request": {} });
            all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            all
        };
        let mut stubs = all([
            named("a", any(json!({}))),
            named("b", any(json!({}))),
            named("c", any(json!({ "priority": 1 }))),
            named("d", any(json!({ "priority": 9 }))),
        ]);
        let order: Vec<&str> = stubs.iter().map(|story| story.stub.label()).collect();
        assert_eq!(order, ["c", "b", "a", "d"]);
        let request = request("GET /", &[], b"");
        let first = stubs.serve(&asked(&request)).unwrap();
        assert_eq!((first.stub.label(), first.also.unwrap().label()), ("c", "b"));
        assert!(first.after.is_none(), "nothing is counted, and no state moves");
        let id = |name: &str, stubs: &Stubs| {
            stubs.iter().find(|story| story.stub.label() == name).unwrap().stub.id.to_string()
        };
        let gone = id("c", &stubs);
        assert_eq!(stubs.remove(&gone).unwrap().label(), "c");
        assert!(stubs.remove(&gone).is_none());
        // Who is changed keeps the place in which it was added.
        stubs.put(Arc::new(named("a", any(json!({ "metadata": {} }))))).unwrap();
        assert_eq!(served(&mut stubs, "GET /", 1), ["b"]);
        stubs.clear();
        assert_eq!((served(&mut stubs, "GET /", 1), stubs.len()), (vec!["none".to_owned()], 0));
    }

    #[test]
    fn a_stub_answers_as_often_as_it_says() {
        let mut stubs = all([named("a", json!({})), named("b", json!({ "request": { "url": "/a" }, "times": 2 }))]);
        let before = stubs.clone();
        assert_eq!(served(&mut stubs, "GET /a", 4), ["b", "b", "a", "a"]);
        assert_eq!(stubs.iter().map(|story| story.left).collect::<Vec<_>>(), [Some(0), None]);
        let mut again = before;
        assert_eq!(served(&mut again, "GET /a", 1), ["b"], "an earlier copy is not touched");
        stubs.put(Arc::new(named("b", json!({ "request": { "url": "/a" }, "times": 1 })))).unwrap();
        assert_eq!(served(&mut stubs, "GET /a", 2), ["b", "a"], "who is put again counts anew");
    }

    #[test]
    fn scenarios_move_from_state_to_state() {
        let scene = |name: &str, required: Json, next: Json| {
            named(
                name,
                json!({ "request": { "url": "/s" }, "scenarioName": "S", "requiredScenarioState": required, "newScenarioState": next }),
            )
        };
        let mut stubs = all([
            scene("a", json!("Started"), json!("two")),
            scene("b", json!("two"), json!("three")),
            scene("c", json!("three"), Json::Null),
        ]);
        assert_eq!(served(&mut stubs, "GET /s", 4), ["a", "b", "c", "c"]);
        assert_eq!(stubs.state("S"), "three");
        assert_eq!(stubs.set_state("S", Some("two")), Ok(()));
        assert_eq!(served(&mut stubs, "GET /s", 1), ["b"]);
        assert_eq!(stubs.set_state("S", None), Ok(()));
        assert_eq!(served(&mut stubs, "GET /s", 1), ["a"]);
        stubs.reset_scenarios();
        assert_eq!(stubs.state("S"), "Started");
        assert_eq!(stubs.set_state("T", None), Err(NoState::Scenario));
        let Err(NoState::State(known)) = stubs.set_state("S", Some("four")) else { panic!("there is no such state") };
        assert_eq!(known.iter().map(|state| &**state).collect::<Vec<_>>(), ["Started", "three", "two"]);
        assert_eq!(stubs.scenarios().len(), 1);
        // A state to which nothing leads is told of, and may be added before what leads to it.
        let lonely = scene("d", json!("never"), Json::Null);
        assert_eq!(stubs.notes(&lonely), ["no stub leads to the state `never` of the scenario `S`"]);
        served(&mut stubs, "GET /s", 1);
        let ids: Vec<_> = stubs.iter().map(|story| story.stub.id.clone()).collect();
        ids.iter().for_each(|id| assert!(stubs.remove(id).is_some()));
        assert_eq!((stubs.state("S"), stubs.scenarios().len()), ("Started", 0), "scenarios go with their last stub");
    }

    #[test]
    fn stubs_are_bounded_in_number_and_bytes() {
        let mut stubs = Stubs::default();
        let mut stub = named("a", json!({}));
        for n in 0..Stubs::MOST {
            stub.id = format!("{n}").into();
            stubs.put(Arc::new(stub.clone())).unwrap();
        }
        stub.id = "one more".into();
        assert_eq!(stubs.put(Arc::new(stub.clone())), Err(Full::Count(Stubs::MOST)));
        stub.id = "0".into();
        stub.size = Stubs::BYTES / 2;
        assert_eq!(stubs.put(Arc::new(stub.clone())), Ok(()), "who is there already takes no new place");
        stub.id = "1".into();
        stub.size = Stubs::BYTES / 2 + 1;
        assert_eq!(stubs.put(Arc::new(stub)), Err(Full::Bytes(Stubs::BYTES)));
        assert!(stubs.remove("0").is_some() && stubs.len() == Stubs::MOST - 1);
    }

    #[test]
    fn what_one_request_costs_is_bounded_over_all_stubs() {
        let body = "a".repeat(2 << 20);
        let dear = |path: &str| json!({ "request": { "urlPath": path, "bodyPatterns": [{ "doesNotContain": "b" }, { "contains": "c" }] } });
        let cheap = named("cheap", json!({ "request": { "urlPath": "/a" }, "priority": 9 }));
        // Of each stub two conditions look at all of the body, so that 64 MiB are enough for fewer than 16.
        for (path, over) in [("/a", true), ("/elsewhere", false)] {
            let dear = (0..30).map(|n| named(&format!("dear{n}"), dear(path)));
            let stubs = all(dear.chain([cheap.clone()]));
            let request = request("POST /a", &[], body.as_bytes());
            let asked = asked(&request);
            let served = stubs.serve(&asked).unwrap();
            assert_eq!(served.stub.label(), "cheap", "{path}: it needs no such work");
            let PassedOver { first, more } = asked.passed_over();
            assert_eq!(first.is_empty(), !over, "{path}: {first:?}");
            if over {
                let words = "the stub dear14 was passed over: the condition at /request/bodyPatterns/1 was given up";
                assert_eq!((first[0].as_str(), first.len() + more), (words, 15));
            }
            let far = stubs.nearest(&asked);
            assert!(far.iter().all(|near| near.distance > 0.0), "{far:?}");
        }
    }

    #[test]
    fn paths_that_look_through_all_of_a_document_are_paid_for() {
        let items: Json = (0..100_000).map(|n| json!({ "n": n })).collect();
        let body = json!({ "a": items, "id": 1 }).to_string();
        let request = request("POST /", &[], body.as_bytes());
        for (path, answers) in [("$.id", true), ("$..n", false)] {
            let each = json!({ "not": { "matchesJsonPath": { "expression": path, "equalTo": "none" } } });
            let about = json!({ "request": { "bodyPatterns": vec![each; 60] } });
            let stubs = all([named("a", about)]);
            let asked = asked(&request);
            assert_eq!(stubs.serve(&asked).is_some(), answers, "{path}");
            assert_eq!(asked.passed_over().first.is_empty(), answers, "{path}");
        }
    }

    #[test]
    fn near_misses_come_nearest_first_and_say_in_what_they_differ() {
        let mut stubs = all([
            named("parcels", json!({ "request": { "method": "GET", "url": "/parcels" } })),
            named(
                "far",
                json!({ "request": { "method": "DELETE", "url": "/something/else", "bodyPatterns": [{ "contains": "x" }] } }),
            ),
            named("parce", json!({ "request": { "method": "POST", "url": "/parcels" } })),
            named("other", json!({ "request": { "method": "GET", "url": "/parcel/1" } })),
            named("used", json!({ "request": { "url": "/parcel" }, "times": 1 })),
        ]);
        served(&mut stubs, "GET /parcel", 1);
        let request = request("GET /parcel", &[], b"");
        let near = stubs.nearest(&asked(&request));
        let names: Vec<&str> = near.iter().map(|near| near.stub.label()).collect();
        assert_eq!(names, ["used", "parcels", "other"]);
        assert!(near.iter().all(|near| near.distance > 0.0 && near.distance < 0.3), "{near:?}");
        assert_eq!(near[0].differences[0].part, "times");
        let url = &near[1].differences[0];
        assert_eq!((url.part, url.expected.as_str(), url.actual.as_deref()), ("url", "`/parcels`", Some("/parcel")));
    }
}
