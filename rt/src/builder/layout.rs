//! Where processors are, as a file says it.

use std::str::FromStr;

use asr_base::Error;
use asr_kernel::topology::Topology;

use super::value::{Setting, Toml, not};

/// Where processors are: `system`, which is as on this machine, or a made-up machine such as
/// `node:2 core:4 pu:2`, each level with its count in one part of the level before.
///
/// ```
/// use asr_rt::{Builder, Layout};
///
/// let two_nodes: Layout = "node:2 core:4".parse()?;
/// let outcome = Builder::new().workers(4).layout(two_nodes).run(async |_| Ok(()));
/// assert!(outcome.is_ok());
/// # Ok::<(), asr_rt::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    text: String,
    topology: Topology,
}

impl Layout {
    pub(super) fn into_topology(self) -> Topology {
        self.topology
    }
}

impl FromStr for Layout {
    type Err = Error;

    fn from_str(text: &str) -> Result<Layout, Error> {
        let topology = match text {
            "system" => Topology::here().clone(),
            text => Topology::synthetic(text)?,
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        let text = words.join(" ");
        Ok(Layout { text, topology })
    }
}

impl Setting for Layout {
    const EXAMPLE: &'static str = "\"node:2 core:4 pu:2\"";

    fn read(value: &Toml<'_>) -> Result<Layout, String> {
        let wanted = || not(value, "\"system\" or a text such as \"node:2 core:4 pu:2\"");
        let text = value.as_str().ok_or_else(wanted)?;
        text.parse()
            .map_err(|error: Error| error.message().to_owned())
    }

    /// The words of a layout that was accepted need no escape.
    fn show(&self) -> Option<String> {
        Some(format!("\"{}\"", self.text))
    }
}
