//! The npm package and the demo page, built by the scripts of `www/package.json`.

use std::path::PathBuf;

use crate::node;
use crate::outcome::Result;
use crate::project::root;
use crate::stamp::Inputs;
use crate::wasm;

/// Where the sources are.
pub(crate) fn folder() -> PathBuf {
    root().join("www")
}

/// Where the built package and page are.
pub(crate) fn dist() -> PathBuf {
    folder().join("dist")
}

/// Builds the wasm and then the package and the page, each only if something in it changed.
pub(crate) fn build() -> Result<()> {
    node::install(&folder())?;
    wasm::engine()?;
    let stamp = Inputs::new(&["npm run build"])
        .path(
            &folder(),
            &[
                "node_modules",
                "dist",
                "pkg-conformance",
                "pkg-cpu-test",
                "test",
            ],
        )?
        .path(&folder().join("test/browser"), &[])?
        .stamp("www-dist");
    if stamp.is_fresh(&[dist().join("index.js"), page().join("index.html")]) {
        println!("www/dist/ is up to date");
        return Ok(());
    }
    println!("building www/dist/");
    stamp.clear();
    node::script(&folder(), "build").run()?;
    stamp.set()
}

/// The folder of the demo page.
pub(crate) fn page() -> PathBuf {
    dist().join("demo")
}
