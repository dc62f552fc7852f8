//! Which fields each route takes: what documentation is made of.

use super::{chat, completion, embeddings, options, responses, tools};
use crate::anthropic;

/// A resource that requests are posted to, and its fields.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// Where it is.
    pub path: &'static str,
    /// Lists of fields that are followed.
    supported: [&'static [&'static str]; 3],
    /// Fields that may be there and change nothing.
    pub ignored: &'static [&'static str],
    /// Fields that are refused by name.
    pub refused: &'static [&'static str],
}

impl Route {
    /// Fields that are followed.
    pub fn supported(&self) -> impl Iterator<Item = &'static str> {
        self.supported.into_iter().flatten().copied()
    }
}

/// Every route.
pub static ROUTES: &[Route] = &[
    Route {
        path: "/v1/chat/completions",
        supported: [chat::OWN, tools::READ, options::READ],
        ignored: chat::IGNORED,
        refused: chat::UNSUPPORTED,
    },
    Route {
        path: "/v1/completions",
        supported: [completion::OWN, &[], options::READ],
        ignored: completion::IGNORED,
        refused: completion::UNSUPPORTED,
    },
    Route {
        path: "/v1/responses",
        supported: [responses::READ, &[], &[]],
        ignored: responses::IGNORED,
        refused: responses::UNSUPPORTED,
    },
    Route {
        path: "/v1/embeddings",
        supported: [embeddings::OWN, &[], &[]],
        ignored: embeddings::IGNORED,
        refused: &[],
    },
    Route {
        path: "/v1/messages",
        supported: [anthropic::READ, &[], &[]],
        ignored: anthropic::IGNORED,
        refused: anthropic::UNSUPPORTED,
    },
];
