//! npm: packages installed once per lock file, scripts run.

use std::path::Path;

use crate::outcome::{Explain, Failure, Result};
use crate::project::shown;
use crate::stamp::Inputs;
use crate::tool::Tool;

/// npm itself; on Windows it is a batch file, which is found only by its whole name.
pub(crate) fn npm() -> Tool {
    Tool::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
}

/// Installs what the folder's lock file says, unless that is what is there.
pub(crate) fn install(folder: &Path) -> Result<()> {
    let lock = folder.join("package-lock.json");
    if !lock.is_file() {
        return Err(Failure::new(format!(
            "{} is missing: run `npm install` in {} and commit the file",
            shown(&lock),
            shown(folder)
        )));
    }
    let stamp = Inputs::new(&["npm ci"])
        .path(&lock, &[])?
        .path(&folder.join("package.json"), &[])?
        .stamp(&format!("npm-{}", shown(folder).replace('/', "-")));
    if stamp.is_fresh(&[folder.join("node_modules/.package-lock.json")]) {
        return Ok(());
    }
    println!("npm packages of {}/", shown(folder));
    stamp.clear();
    npm()
        .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
        .dir(folder)
        .run()
        .explain(|| {
            format!(
                "npm could not install the packages of {}/ (is the network there?)",
                shown(folder)
            )
        })?;
    stamp.set()
}

/// `npm run SCRIPT` in the folder.
pub(crate) fn script(folder: &Path, script: &str) -> Tool {
    npm().args(["run", "--silent", script]).dir(folder)
}
