use serde_json::{Value as Json, json};

use crate::diagnostic::shortened;
use crate::exchange::{Problem, segment, spelled};
use crate::ui::refused::Refused;
use crate::ui::visit::Visit;

/// Fields by which people know a record, the most telling first.
const TELLING: [&str; 7] = ["name", "title", "label", "text", "code", "username", "key"];

/// How many characters of a value stand in a line.
const LINE: usize = 80;

/// What the control plane says of a resource.
pub(in crate::ui) struct Kind {
    /// The pack that has it, with its title and whatever else is said of it.
    pub(in crate::ui) pack: Json,
    pub(in crate::ui) name: String,
    /// `name`, `type`, `format`, `id`, `owner`, `refers` and so on.
    pub(in crate::ui) fields: Vec<Json>,
}

impl Kind {
    /// The one that the path of a page names.
    pub(super) async fn of(visit: &Visit<'_>) -> Result<Kind, Refused> {
        let pack = visit.plane.get(&format!("/packs/{}", segment(visit.parameter("pack")))).await?;
        let name = visit.parameter("resource");
        match Kind::named(&pack, name) {
            Some(kind) => Ok(kind),
            None => {
                let path = format!("/state/{}/{}?limit=1", segment(visit.parameter("pack")), segment(name));
                visit.plane.get(&path).await?;
                Err(Problem::not_found("resource-unknown", format!("There is no resource `{name}`.")).into())
            }
        }
    }

    pub(in crate::ui) fn named(pack: &Json, name: &str) -> Option<Kind> {
        let fields = pack["fields"][name].as_array()?.clone();
        Some(Kind { pack: pack.clone(), name: name.to_owned(), fields })
    }

    pub(super) fn pack_name(&self) -> &str {
        self.pack["name"].as_str().unwrap_or_default()
    }

    /// Where the control plane has its records.
    pub(in crate::ui) fn path(&self) -> String {
        format!("/state/{}/{}", segment(self.pack_name()), segment(&self.name))
    }

    /// Where the control plane has one of them.
    pub(super) fn path_of(&self, id: &str) -> String {
        format!("{}/{}", self.path(), segment(id))
    }

    pub(in crate::ui) fn field(&self, name: &str) -> Option<&Json> {
        self.fields.iter().find(|field| field["name"] == name)
    }

    /// The name of the field that is the id.
    pub(super) fn id_field(&self) -> &str {
        let id = self.fields.iter().find(|field| field["id"] == true);
        id.and_then(|field| field["name"].as_str()).unwrap_or_default()
    }

    pub(super) fn id(&self, record: &Json) -> String {
        spelled(&record[self.id_field()])
    }

    /// What people call a record, where one of its fields says it.
    pub(in crate::ui) fn label(&self, record: &Json) -> Option<String> {
        let open =
            |name: &&str| self.field(name).is_some_and(|field| field["type"] == "string" && field["id"] == false);
        let own = TELLING.iter().filter(|name| open(name)).find_map(|name| told(&record[name]));
        own.or_else(|| self.fields.iter().find_map(|field| within(&record[field["name"].as_str()?])))
    }

    /// `id`, `label` and where its page is.
    pub(in crate::ui) fn line(&self, visit: &Visit<'_>, record: &Json) -> Json {
        let id = self.id(record);
        let (href, label) = (self.page(visit, &id), self.label(record));
        json!({ "id": id, "label": label, "href": href })
    }

    pub(super) fn page(&self, visit: &Visit<'_>, id: &str) -> String {
        page(visit, self.pack_name(), &self.name, id)
    }
}

/// Where the page of a record is.
pub(super) fn page(visit: &Visit<'_>, pack: &str, resource: &str, id: &str) -> String {
    format!("{}/records/{}/{}/{}", visit.root(), segment(pack), segment(resource), segment(id))
}

fn told(value: &Json) -> Option<String> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(|text| shortened(text, LINE))
}

/// What an object calls itself: its fields are members of something larger.
pub(super) fn within(value: &Json) -> Option<String> {
    TELLING.iter().find_map(|name| told(value.as_object()?.get(*name)?))
}

/// A value in a line.
pub(super) fn in_line(value: &Json) -> String {
    shortened(&spelled(value), LINE)
}
