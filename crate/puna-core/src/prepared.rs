//! What is made of a header before any weights come: all that can be refused is refused here.

use crate::chat::ChatTemplate;
use crate::config::ModelConfig;
use crate::graph::Graph;
use crate::quant::Format;
use crate::tokenizer::Tokenizer;
use crate::weights::header::Header;
use crate::{Result, model};

/// What the user asks for beyond the file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes<'a> {
    /// Tokens that a conversation may hold; the model's own limit where absent.
    pub context_length: Option<u32>,
    /// What floats are rounded to.
    pub quantize: Option<&'static Format>,
    /// A template in place of the model's own.
    pub chat_template: Option<&'a str>,
}

/// A model without its weights.
#[derive(Debug)]
pub struct Prepared {
    /// Its shape.
    pub config: ModelConfig,
    /// What it computes, within the context that was asked for and of weights as they will be.
    pub graph: Graph,
    /// Text to ids and back.
    pub tokenizer: Tokenizer,
    /// Conversations to text.
    pub template: ChatTemplate,
}

impl Prepared {
    /// Makes them.
    ///
    /// # Errors
    /// `unsupported_model` for what is not implemented, `bad_model_file` for what contradicts itself, `invalid_request`
    /// for wishes that can't be met.
    pub fn new(header: &Header, wishes: &Wishes<'_>) -> Result<Self> {
        let (config, graph) = model::open(header)?;
        let mut graph = graph.within(wishes.context_length);
        if let Some(format) = wishes.quantize {
            graph = graph.quantized(format)?;
        }
        let tokenizer = Tokenizer::for_model(header)?;
        let template = ChatTemplate::for_model(header, &tokenizer, wishes.chat_template)?;
        Ok(Self {
            config,
            graph,
            tokenizer,
            template,
        })
    }
}
