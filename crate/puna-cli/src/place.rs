//! Where something is: a path, or an address on the web.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use puna_core::checkpoint::{CONFIG, address};

/// A path or an address.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Path(PathBuf),
    Url(String),
}

impl Place {
    /// What a user means: an address where it begins like one.
    pub(crate) fn parse(text: &OsStr) -> Self {
        let url = text.to_str().filter(|text| {
            ["http://", "https://"].iter().any(|scheme| {
                let front = text.get(..scheme.len());
                front.is_some_and(|front| front.eq_ignore_ascii_case(scheme))
            })
        });
        url.map_or_else(|| Self::Path(text.into()), |url| Self::Url(url.to_owned()))
    }

    /// The folder of a checkpoint, if the place is that of one, or of one of its files that tells.
    pub(crate) fn checkpoint(&self) -> Option<Self> {
        match self {
            Self::Path(path) if path.is_dir() => Some(self.clone()),
            Self::Path(path) => {
                let is_config = path.file_name().is_some_and(|name| name == CONFIG);
                let folder = path.parent().filter(|_| is_config)?;
                Some(Self::Path(folder.to_owned()))
            }
            Self::Url(url) => address::folder(url).map(Self::Url),
        }
    }

    /// A file in a folder.
    pub(crate) fn join(&self, name: &str) -> Self {
        match self {
            Self::Path(path) => Self::Path(path.join(name)),
            Self::Url(url) => Self::Url(format!("{url}{name}")),
        }
    }

    /// A place of the same kind, from its text.
    pub(crate) fn like(&self, text: &str) -> Self {
        match self {
            Self::Path(_) => Self::Path(Path::new(text).to_owned()),
            Self::Url(_) => Self::Url(text.to_owned()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Url(url) => f.write_str(url),
        }
    }
}
