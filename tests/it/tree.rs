//! The files of the project, for tests that read them.

use std::fs;
use std::path::{Path, PathBuf};

/// The project's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a file of the project.
pub fn read(path: &str) -> String {
    let full = root().join(path);
    fs::read_to_string(&full).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file below a folder by its path within the project, with `/` between the parts, in order. What tools leave
/// behind (`target`, `node_modules`, `venv`, `.git`, and other hidden folders but those of the CI) is left out.
pub fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    let mut paths: Vec<String> =
        found.iter().map(|path| path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/")).collect();
    paths.sort();
    paths
}

fn walk(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().unwrap();
        if kind.is_file() && name != ".git" {
            out.push(entry.path());
        } else if kind.is_dir()
            && !["target", "node_modules", "venv"].contains(&name.as_str())
            && (!name.starts_with('.') || name == ".ci" || name == ".github")
        {
            walk(&entry.path(), out);
        }
    }
}
