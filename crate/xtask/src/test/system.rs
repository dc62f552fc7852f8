//! The browsers and the software Vulkan drivers of this machine: found, or installed where that may be done.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::native::Adapter;
use super::packages;
use crate::outcome::{Failure, Result};
use crate::tool::Tool;

/// What the stages to run ask of the machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needs {
    pub(crate) lavapipe: bool,
    pub(crate) chromium: bool,
    pub(crate) firefox: bool,
}

/// What is there.
#[derive(Debug)]
pub(crate) struct System {
    chromium: Option<PathBuf>,
    firefox: Option<PathBuf>,
    lavapipe: Option<Adapter>,
    swiftshader: Option<Adapter>,
}

impl System {
    /// Finds what `needs` names; installs it where it is missing and this system lets us.
    pub(crate) fn set_up(needs: Needs) -> Result<Self> {
        let found = Self::find();
        if found.missing(needs).is_empty() {
            return Ok(found);
        }
        let missing = found.missing(needs).join(", ");
        println!("missing: {missing}");
        packages::install(&missing)?;
        let found = Self::find();
        match found.missing(needs).as_slice() {
            [] => Ok(found),
            missing => Err(Failure::new(format!(
                "still missing after the packages were installed: {}. {}",
                missing.join(", "),
                packages::by_hand()
            ))),
        }
    }

    fn find() -> Self {
        let chromium = program(
            "CHROMIUM",
            &[
                "chromium",
                "chromium-browser",
                "google-chrome",
                "google-chrome-stable",
            ],
        );
        Self {
            swiftshader: icd(
                "PUNA_SWIFTSHADER_ICD",
                &swiftshader_folders(chromium.as_deref()),
                "vk_swiftshader_icd",
            )
            .map(|icd| Adapter {
                name: "swiftshader",
                icd,
            }),
            lavapipe: icd("PUNA_LAVAPIPE_ICD", &vulkan_folders(), "lvp_icd").map(|icd| Adapter {
                name: "lavapipe",
                icd,
            }),
            firefox: program("FIREFOX", &["firefox-esr", "firefox"]),
            chromium,
        }
    }

    fn missing(&self, needs: Needs) -> Vec<&'static str> {
        let checks = [
            (needs.chromium, self.chromium.is_some(), "Chromium"),
            (
                needs.chromium,
                self.swiftshader.is_some(),
                "SwiftShader's Vulkan driver",
            ),
            (needs.firefox, self.firefox.is_some(), "Firefox"),
            (needs.lavapipe, self.lavapipe.is_some(), "Mesa's lavapipe"),
            (
                needs.lavapipe || needs.chromium,
                has_loader(),
                "the Vulkan loader",
            ),
        ];
        let missing = checks
            .into_iter()
            .filter(|(needed, there, _)| *needed && !there);
        missing.map(|(_, _, name)| name).collect()
    }

    /// The Chromium to run.
    pub(crate) fn chromium(&self) -> Result<&Path> {
        self.chromium.as_deref().ok_or_else(|| absent("Chromium"))
    }

    /// The Firefox to run.
    pub(crate) fn firefox(&self) -> Result<&Path> {
        self.firefox.as_deref().ok_or_else(|| absent("Firefox"))
    }

    /// `tool` with Mesa's software adapter as the only one: Firefox takes whatever Vulkan offers first.
    pub(crate) fn offer_lavapipe(&self, tool: Tool) -> Result<Tool> {
        let icd = &self.lavapipe()?.icd;
        Ok(tool
            .env("VK_DRIVER_FILES", icd)
            .env("VK_ICD_FILENAMES", icd))
    }

    /// Mesa's software adapter.
    pub(super) fn lavapipe(&self) -> Result<&Adapter> {
        self.lavapipe
            .as_ref()
            .ok_or_else(|| absent("Mesa's lavapipe"))
    }

    /// Chromium's software adapter.
    pub(super) fn swiftshader(&self) -> Result<&Adapter> {
        self.swiftshader
            .as_ref()
            .ok_or_else(|| absent("SwiftShader"))
    }
}

fn absent(what: &str) -> Failure {
    Failure::new(format!("{what} is not there. {}", packages::by_hand()))
}

/// The program that the variable names, or the first of `names` on PATH.
fn program(variable: &str, names: &[&str]) -> Option<PathBuf> {
    if let Some(path) = env::var_os(variable) {
        return Some(PathBuf::from(path)).filter(|path| path.is_file());
    }
    let path = env::var_os("PATH")?;
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let mut places = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.find(|place| place.is_file())
}

/// The driver file that the variable names, or the first in `folders` whose name starts with `stem`.
fn icd(variable: &str, folders: &[PathBuf], stem: &str) -> Option<PathBuf> {
    if let Some(path) = env::var_os(variable) {
        return Some(PathBuf::from(path)).filter(|path| path.is_file());
    }
    folders.iter().find_map(|folder| {
        let mut names: Vec<PathBuf> = fs::read_dir(folder)
            .ok()?
            .flatten()
            .map(|entry| entry.path())
            .collect();
        names.sort();
        names.into_iter().find(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let foreign = name.contains("i686") && !cfg!(target_arch = "x86");
            name.starts_with(stem) && name.ends_with(".json") && !foreign
        })
    })
}

fn vulkan_folders() -> Vec<PathBuf> {
    [
        "/usr/share/vulkan/icd.d",
        "/etc/vulkan/icd.d",
        "/usr/local/share/vulkan/icd.d",
    ]
    .map(PathBuf::from)
    .to_vec()
}

/// The driver lies beside the browser; what is on PATH may be a link or a script that starts it.
fn swiftshader_folders(chromium: Option<&Path>) -> Vec<PathBuf> {
    let mut folders = [
        "/usr/lib/chromium",
        "/usr/lib/chromium-browser",
        "/usr/lib64/chromium-browser",
        "/opt/google/chrome",
    ]
    .map(PathBuf::from)
    .to_vec();
    let real = chromium.and_then(|path| path.canonicalize().ok());
    folders.extend(
        real.as_deref()
            .and_then(Path::parent)
            .map(Path::to_path_buf),
    );
    folders
}

fn has_loader() -> bool {
    let folders = ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib"];
    let archs = ["", "x86_64-linux-gnu", "aarch64-linux-gnu"];
    let mut places = folders
        .iter()
        .flat_map(|folder| archs.iter().map(move |arch| Path::new(folder).join(arch)));
    places.any(|place| place.join("libvulkan.so.1").exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_only_where_it_is_needed() {
        let nothing = System {
            chromium: None,
            firefox: None,
            lavapipe: None,
            swiftshader: None,
        };
        let needs = |lavapipe, chromium, firefox| Needs {
            lavapipe,
            chromium,
            firefox,
        };
        assert!(
            nothing.missing(needs(false, false, false)).is_empty(),
            "nothing is needed"
        );
        assert!(
            nothing
                .missing(needs(false, false, true))
                .contains(&"Firefox"),
            "Firefox is needed"
        );
        let chromium = nothing.missing(needs(false, true, false));
        assert!(
            chromium.contains(&"SwiftShader's Vulkan driver"),
            "{chromium:?}"
        );
    }
}
