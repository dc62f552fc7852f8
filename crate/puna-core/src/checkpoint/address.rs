//! Addresses of checkpoints.

use super::{CONFIG, INDEX};
use crate::adapter::ADAPTER_CONFIG;

/// The folder that a checkpoint at this address is in, ending in a slash; `None` if it is the address of something else. A
/// checkpoint has the address of its folder, ending in a slash, of its `config.json`, its index or a file of its weights; or
/// that of its page at Hugging Face. A query is left out.
#[must_use]
pub fn folder(address: &str) -> Option<String> {
    let path_end = address.find(['?', '#']).unwrap_or(address.len());
    let path = address.get(..path_end)?;
    if let Some(folder) = folder_at_hub(path) {
        return Some(folder);
    }
    let (folder, name) = path.rsplit_once('/')?;
    let is_one = name.is_empty() && !folder.ends_with('/')
        || [CONFIG, INDEX, ADAPTER_CONFIG].contains(&name)
        || name.ends_with(".safetensors");
    is_one.then(|| format!("{folder}/"))
}

/// Of the page of a repository: `https://huggingface.co/ORG/NAME`, with `/tree/REVISION` or without.
fn folder_at_hub(path: &str) -> Option<String> {
    let inner = path.strip_prefix("https://huggingface.co/")?;
    let parts: Vec<_> = inner.trim_end_matches('/').split('/').collect();
    let (repository, revision) = match parts.as_slice() {
        [org, name] => ([org, name], "main"),
        [org, name, "tree", revision] => ([org, name], *revision),
        _ => return None,
    };
    let [org, name] = repository;
    let other = ["datasets", "spaces", "docs", "api", "blog"];
    let fits = !org.is_empty() && !name.is_empty() && !other.contains(org);
    fits.then(|| format!("https://huggingface.co/{org}/{name}/resolve/{revision}/"))
}

/// What a checkpoint in a folder is called: as the folder, or as the repository whose revision that is.
#[must_use]
pub fn name(folder: &str) -> &str {
    let path = folder.trim_end_matches('/');
    let path = match path.rsplit_once("/resolve/") {
        Some((repository, revision)) if !revision.contains('/') => repository,
        _ => path,
    };
    path.rsplit('/').next().unwrap_or_default()
}
