//! `cargo xtask demo`: from a bare checkout to a page in which a model chats.

use std::env;
use std::path::{Path, PathBuf};

use crate::args::Args;
use crate::http::{Server, Site, encode_segment};
use crate::model;
use crate::outcome::{Explain, Failure, Result};
use crate::prerequisite;
use crate::project::root;
use crate::tool::Tool;
use crate::www;

/// What the command line asks for.
pub(crate) struct Options {
    /// A file or a URL; the default model where there is none.
    model: Option<String>,
    port: Option<u16>,
    open: bool,
}

impl Options {
    /// Reads the options of `demo`.
    pub(crate) fn from_args(mut args: Args) -> Result<Self> {
        let model = args.value("--model")?;
        let port = args.value("--port")?;
        let port = port
            .map(|port| {
                port.parse()
                    .explain(|| format!("--port {port}: expected a number up to 65535"))
            })
            .transpose()?;
        let open = !args.flag("--no-open");
        args.finish()?;
        Ok(Self { model, port, open })
    }
}

/// A model as the page is told of it, and what has to be served for that.
struct Served {
    url: String,
    mount: Option<(String, PathBuf)>,
    /// The system prompt to go with it; the model's own where there is none.
    system: Option<&'static str>,
}

impl Served {
    /// The system prompt as what follows the model in a query.
    fn system(&self) -> String {
        self.system
            .map(|system| format!("&system={}", encode_segment(system)))
            .unwrap_or_default()
    }
}

/// Builds, fetches, serves; ends only on a failure or when it is ended.
pub(crate) fn run(options: &Options) -> Result<()> {
    let fetches = options.model.is_none() && !model::default_is_verified();
    // A wrong name should be told before minutes of building.
    let named = options.model.as_deref().map(named).transpose()?;
    prerequisite::check(fetches)?;
    prerequisite::wasm_target()?;
    let served = match named {
        Some(served) => served,
        None => Served {
            system: Some(model::DEFAULT_SYSTEM),
            ..file(&model::fetch_default()?)?
        },
    };
    www::build()?;

    let query = format!("?model={}{}", served.url, served.system());
    let mut site = Site::new().mount("/", www::page());
    if let Some((path, target)) = served.mount {
        site = site.mount(&path, target);
    }
    let server = Server::bind(options.port, site)?;
    let url = format!("{}{query}", server.url()?);
    println!("\n  {url}\n\nCtrl-C ends it.");
    if options.open && can_open() {
        // The address is on the terminal: a browser that does not start is no failure.
        let _ = open(&url);
    }
    server.serve();
    Ok(())
}

/// The model of `--model`.
fn named(model: &str) -> Result<Served> {
    if model.starts_with("http://") || model.starts_with("https://") {
        return Ok(Served {
            url: encode_segment(model),
            mount: None,
            system: None,
        });
    }
    // `cargo xtask` runs where it was typed, so that the path is from there.
    file(Path::new(model))
}

/// A file of this machine, served below `/models/`; a manifest with the folder of its shards.
fn file(path: &Path) -> Result<Served> {
    let path = path.canonicalize().explain(|| {
        format!(
            "--model {}: no such file (a URL starts with http:// or https://)",
            path.display()
        )
    })?;
    if !path.is_file() {
        return Err(Failure::new(format!(
            "--model {}: not a file; name the .gguf file, or the manifest.json of a sharded model",
            path.display()
        )));
    }
    let name = |path: &Path| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let is_manifest = path
        .extension()
        .is_some_and(|extension| extension == "json");
    let parent = path.parent().map_or_else(root, Path::to_path_buf);
    let (inside, mount) = if is_manifest {
        let folder = format!("/models/{}", name(&parent));
        (
            format!(
                "{}/{}",
                encode_segment(&name(&parent)),
                encode_segment(&name(&path))
            ),
            (folder, parent),
        )
    } else {
        (
            encode_segment(&name(&path)),
            (format!("/models/{}", name(&path)), path.clone()),
        )
    };
    Ok(Served {
        url: format!("/models/{inside}"),
        mount: Some(mount),
        system: None,
    })
}

/// Whether there is a screen to open a browser on.
fn can_open() -> bool {
    let remote = env::var_os("SSH_CONNECTION").is_some() || env::var_os("CI").is_some();
    let screen = env::var_os("DISPLAY").is_some() || env::var_os("WAYLAND_DISPLAY").is_some();
    !remote && (screen || cfg!(target_os = "macos") || cfg!(windows))
}

fn open(url: &str) -> Result<()> {
    let tool = if cfg!(target_os = "macos") {
        Tool::new("open")
    } else if cfg!(windows) {
        // The empty word is the window's title, which `start` takes first.
        Tool::new("cmd").args(["/C", "start", ""])
    } else {
        Tool::new("xdg-open")
    };
    tool.arg(url).detach()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_elsewhere_is_served_below_models_and_url_is_passed_on() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let served = file(&here).expect("it is a file");
        assert_eq!(served.url, "/models/Cargo.toml", "the name alone");
        let (path, target) = served.mount.expect("it is served");
        assert_eq!(path, "/models/Cargo.toml", "at its name");
        assert!(
            target.ends_with("crate/xtask/Cargo.toml"),
            "{}",
            target.display()
        );
        let passed = named("https://example.org/a.gguf?x=1&y=2").expect("a URL");
        assert_eq!(
            passed.url, "https%3A%2F%2Fexample.org%2Fa.gguf%3Fx%3D1%26y%3D2",
            "as one value of a query"
        );
        assert!(passed.mount.is_none(), "nothing is served for it");
        assert_eq!(passed.system(), "", "its own system prompt");
        let told = Served {
            system: Some("Be kind & brief."),
            ..passed
        };
        assert_eq!(told.system(), "&system=Be%20kind%20%26%20brief.");
    }

    #[test]
    fn missing_file_is_named_before_anything_is_built() {
        let failure = named("no/such.gguf")
            .err()
            .expect("it is not there")
            .to_string();
        assert!(failure.contains("no/such.gguf"), "{failure}");
    }
}
