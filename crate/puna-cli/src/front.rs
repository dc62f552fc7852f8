//! The first bytes of a file, on disk or on a server: as many as are needed, and little more.

use std::fs::File;
use std::io::Read;

use puna_core::weights::header::{MAX_HEADER_BYTES, Parsed};
use puna_core::{Error, Result};

use crate::file::{failed, open};
use crate::place::Place;
use crate::web::WebFile;

/// The first request; most of a small model's header, and enough to tell what it is.
const FIRST_BYTES: u64 = 256 << 10;

/// A file whose first bytes are read.
pub(crate) struct Front {
    place: Place,
    bytes: Vec<u8>,
    /// What is behind them.
    rest: Rest,
}

enum Rest {
    Disk { file: File, file_bytes: u64 },
    Web(WebFile),
}

impl Front {
    /// Opens it; of a file on a server this asks for its first bytes.
    pub(crate) fn open(place: &Place) -> Result<Self> {
        let rest = match place {
            Place::Path(path) => {
                let (file, file_bytes) = open(path)?;
                Rest::Disk { file, file_bytes }
            }
            Place::Url(url) => Rest::Web(WebFile::new(url)),
        };
        let mut front = Self {
            place: place.clone(),
            bytes: Vec::new(),
            rest,
        };
        front.grow(FIRST_BYTES)?;
        Ok(front)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file's size, where it is known.
    pub(crate) fn file_bytes(&self) -> Option<u64> {
        match &self.rest {
            Rest::Disk { file_bytes, .. } => Some(*file_bytes),
            Rest::Web(file) => file.file_bytes(),
        }
    }

    /// Reads until there are so many bytes, or the file ends; whether there are as many.
    fn grow(&mut self, wanted: u64) -> Result<bool> {
        let missing = wanted.saturating_sub(self.bytes.len() as u64);
        match (&mut self.rest, &self.place) {
            (Rest::Disk { file, .. }, Place::Path(path)) => {
                file.take(missing)
                    .read_to_end(&mut self.bytes)
                    .map_err(|error| failed(path, "can't be read", &error))?;
            }
            (Rest::Web(file), _) if missing > 0 => file.read(missing, &mut self.bytes)?,
            _ => {}
        }
        Ok(self.bytes.len() as u64 >= wanted)
    }

    /// All of a file that has at most so many bytes.
    pub(crate) fn whole(mut self, most: u64) -> Result<Vec<u8>> {
        if self.grow(most.saturating_add(1))? {
            return Err(Error::bad_model_file(format!(
                "{}: has more than {most} bytes, which is more than such a file can have",
                self.place
            )));
        }
        Ok(self.bytes)
    }

    /// Reads as much as `parse` takes: what was read.
    pub(crate) fn parse<T>(&mut self, parse: impl Fn(&[u8]) -> Result<Parsed<T>>) -> Result<T> {
        loop {
            let parsed = parse(&self.bytes);
            let parsed = parsed.map_err(|error| error.context(self.place.to_string()))?;
            let at_least = match parsed {
                Parsed::Done(header) => return Ok(header),
                Parsed::NeedMore { at_least } => at_least,
            };
            let have = self.bytes.len() as u64;
            let wanted = have.saturating_add(have / 2).min(MAX_HEADER_BYTES);
            if !self.grow(at_least.max(wanted))? && self.bytes.len() as u64 == have {
                return Err(Error::bad_model_file(format!(
                    "{}: ends at byte {have}, inside its header, which has at least {at_least} bytes; it is cut short",
                    self.place
                )));
            }
        }
    }
}
