//! The system's packages that the tests need: installed where that may be done, else named.

use std::fs;

use crate::outcome::{Explain, Failure, Result};
use crate::tool::Tool;

/// The Debian packages that hold everything the suite runs on. Chromium brings SwiftShader's driver.
const PACKAGES: [&str; 4] = [
    "chromium",
    "firefox-esr",
    "mesa-vulkan-drivers",
    "libvulkan1",
];

/// Installs the packages on Debian and its relatives; elsewhere, and without the right to, says what to do.
pub(super) fn install(missing: &str) -> Result<()> {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    if !is_debian(&release) {
        return Err(Failure::new(format!(
            "the tests need what is not here: {missing}. {}",
            by_hand()
        )));
    }
    let sudo = if is_root() {
        None
    } else if Tool::new("sudo").args(["-n", "true"]).text().is_ok() {
        Some("sudo")
    } else {
        return Err(Failure::new(format!(
            "the tests need what is not here: {missing}. Install it and run the command again:\n\n  sudo apt-get install \
             --no-install-recommends {}",
            PACKAGES.join(" ")
        )));
    };
    for arguments in [
        ["update"].as_slice(),
        &[
            ["install", "--yes", "--no-install-recommends"].as_slice(),
            &PACKAGES,
        ]
        .concat(),
    ] {
        let tool = match sudo {
            Some(sudo) => Tool::new(sudo).args(["-n", "apt-get"]),
            None => Tool::new("apt-get"),
        };
        tool.args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .run()
            .explain(|| format!("the packages could not be installed. {}", by_hand()))?;
    }
    Ok(())
}

/// Whether an os-release file is Debian's or a relative's.
fn is_debian(release: &str) -> bool {
    release
        .lines()
        .filter_map(|line| {
            line.strip_prefix("ID=")
                .or_else(|| line.strip_prefix("ID_LIKE="))
        })
        .any(|ids| {
            ids.trim_matches('"')
                .split(' ')
                .any(|id| id == "debian" || id == "ubuntu")
        })
}

fn is_root() -> bool {
    Tool::new("id")
        .arg("-u")
        .text()
        .is_ok_and(|id| id.trim() == "0")
}

/// What to do on a system whose packages are not known here.
pub(super) fn by_hand() -> &'static str {
    "The whole suite runs on Linux with Chromium (and the vk_swiftshader_icd.json that comes with it), Firefox 150 or later, \
     Mesa's lavapipe (Debian: mesa-vulkan-drivers; Fedora: mesa-vulkan-drivers; Arch: vulkan-swrast) and the Vulkan loader. \
     Where they are in unusual places, name them in CHROMIUM, FIREFOX, PUNA_SWIFTSHADER_ICD and PUNA_LAVAPIPE_ICD. Browsers \
     in snap packages do not start from a test. `cargo xtask test --only check` (or native, typescript) runs a part"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debian_and_its_relatives_are_known() {
        assert!(is_debian("PRETTY_NAME=x\nID=debian\n"), "Debian");
        assert!(
            is_debian("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"),
            "a relative"
        );
        assert!(!is_debian("ID=fedora\n"), "not one");
    }
}
