//! The post-processor of a `tokenizer.json`: what a document begins and ends with.

use super::part::Part;
use crate::Result;

/// Ids in front of a document, and behind it.
#[derive(Default)]
pub(super) struct Frame {
    pub(super) prefix: Vec<u32>,
    pub(super) suffix: Vec<u32>,
}

impl Frame {
    pub(super) fn read(part: &Part<'_>) -> Result<Self> {
        let mut frame = Self::default();
        for step in part.steps("processors")? {
            match step.kind()? {
                // It moves offsets, which are not used.
                "ByteLevel" => {}
                "TemplateProcessing" => frame.template(&step)?,
                "BertProcessing" | "RobertaProcessing" => {
                    frame.prefix.push(pair_id(&step.get("cls"))?);
                    frame.suffix.insert(0, pair_id(&step.get("sep"))?);
                }
                other => return Err(step.unsupported(&format!("the post-processor {other:?}"))),
            }
        }
        Ok(frame)
    }

    /// `single`: special tokens by name around the sequence A; `special_tokens` has their ids.
    fn template(&mut self, step: &Part<'_>) -> Result<()> {
        let (mut prefix, mut suffix) = (Vec::new(), Vec::new());
        let mut is_behind = false;
        for piece in step.get("single").array()? {
            let token = piece.get("SpecialToken");
            if token.is_null() {
                if is_behind || piece.get("Sequence").is_null() {
                    return Err(piece.bad("a SpecialToken, or one Sequence"));
                }
                is_behind = true;
                continue;
            }
            let name = token.get("id").str()?;
            let ids = step.get("special_tokens").get(name).get("ids").array()?;
            let side = if is_behind { &mut suffix } else { &mut prefix };
            for id in ids {
                side.push(id.id()?);
            }
        }
        // Around what the steps before have put there.
        prefix.append(&mut self.prefix);
        self.prefix = prefix;
        self.suffix.append(&mut suffix);
        Ok(())
    }
}

/// The id of `["[CLS]", 101]`.
fn pair_id(part: &Part<'_>) -> Result<u32> {
    match part.array()?.as_slice() {
        [_, id] => id.id(),
        _ => Err(part.bad("a token and its id")),
    }
}
