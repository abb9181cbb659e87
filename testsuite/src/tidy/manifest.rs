//! The few lines of a `Cargo.toml` that the checks ask for; not a TOML parser.

/// What a manifest says, as far as it matters here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    /// `package.name`.
    pub(super) name: Option<String>,
    /// Names in any table of dependencies, of whatever kind and target.
    pub(super) dependencies: Vec<String>,
    /// `[lints] workspace = true`.
    pub(super) workspace_lints: bool,
    /// `workspace.members`.
    pub(super) members: Vec<String>,
}

/// Read one manifest.
pub(super) fn read(text: &str) -> Manifest {
    let mut manifest = Manifest::default();
    let (mut section, mut in_members) = (String::new(), false);
    for line in text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
    {
        if in_members {
            manifest.members.extend(quoted(line));
            in_members = !line.contains(']');
        } else if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
            // `[dependencies.asr-abi]` is a dependency by its heading.
            if let Some((table, name)) = section.rsplit_once('.')
                && is_dependencies(table)
            {
                manifest
                    .dependencies
                    .push(name.trim_matches('"').to_owned());
            }
        } else if let Some((key, value)) = line.split_once('=') {
            let (key, value) = (key.trim(), value.trim());
            match (section.as_str(), key) {
                ("package", "name") => manifest.name = quoted(value).into_iter().next(),
                ("lints", "workspace") => manifest.workspace_lints = value == "true",
                ("workspace", "members") => {
                    manifest.members = quoted(value);
                    in_members = !value.contains(']');
                }
                (section, _) if is_dependencies(section) => {
                    let name = key.split('.').next().unwrap_or(key);
                    manifest
                        .dependencies
                        .push(renamed(value).unwrap_or(name.to_owned()));
                }
                _ => {}
            }
        }
    }
    manifest
}

/// `dependencies`, `dev-dependencies`, `build-dependencies`, also below `target.…`; the table of
/// shared versions, `workspace.dependencies`, gives nobody an arrow.
fn is_dependencies(section: &str) -> bool {
    let last = section.rsplit('.').next().unwrap_or(section);
    last.ends_with("dependencies") && !section.starts_with("workspace")
}

/// The real name in `x = { package = "y" }`.
fn renamed(value: &str) -> Option<String> {
    let (_, rest) = value.split_once("package")?;
    quoted(rest).into_iter().next()
}

fn quoted(text: &str) -> Vec<String> {
    text.split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn every_way_to_write_a_dependency_counts() {
        let manifest = read(
            "[package]\nname = \"a\"\n[dependencies]\nb.workspace = true\nc = { path = \"c\" }\n\
             [dev-dependencies]\nd = \"1\" # e\n\
             [target.'cfg(unix)'.build-dependencies]\nf = \"1\"\n\
             [dependencies.g]\nversion = \"1\"\n[dependencies]\nh = { package = \"i\" }\n\
             [workspace.dependencies]\nj = \"1\"\n[lints]\nworkspace = true\n",
        );
        assert_eq!(manifest.name.as_deref(), Some("a"));
        assert_eq!(manifest.dependencies, ["b", "c", "d", "f", "g", "i"]);
        assert!(manifest.workspace_lints);
    }

    #[test]
    fn members_may_span_lines() {
        let manifest = read("[workspace]\nmembers = [\n  \"a\", # first\n  \"b/c\",\n]\nx = 1\n");
        assert_eq!(manifest.members, ["a", "b/c"]);
    }
}
