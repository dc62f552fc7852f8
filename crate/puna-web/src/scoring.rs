//! How likely a text is, computed by turns with others.

use puna_core::Result;
use puna_core::graph::Wanted;
use puna_core::score::Scoring;

use crate::conversations::Conversations;
use crate::executor::Executor;

/// Bytes of the logits that come back at a time, about.
const LOGITS_BYTES: usize = 4 << 20;
/// And no more tokens than these.
const MOST_ROWS: usize = 32;

/// Tokens whose logits come back at a time, of a vocabulary of `out_width`.
pub(crate) fn rows(out_width: usize) -> usize {
    let row = out_width.saturating_mul(size_of::<f32>()).max(1);
    (LOGITS_BYTES / row).clamp(1, MOST_ROWS)
}

/// Forwards what comes next; whether there was anything.
///
/// # Errors
/// Those of the executor and of the KV cache.
pub(crate) async fn step(
    scoring: &mut Scoring<'_>,
    executor: &mut Executor,
    conversations: &mut Conversations,
    vocab_size: usize,
) -> Result<bool> {
    let rows = executor.logits_rows();
    let Some(forward) = scoring.ask(executor.chunk_tokens(), rows).cloned() else {
        return Ok(false);
    };
    let end = forward.position.saturating_add(forward.ids.len());
    conversations
        .make_room(executor, scoring.session(), end, 0)
        .await?;
    let wanted = match forward.logits {
        true => Wanted::All,
        false => Wanted::None,
    };
    let place = conversations.place(scoring.session(), forward.position);
    let logits = executor.forward(place, &forward.ids, wanted).await?;
    scoring.answer(logits, vocab_size)?;
    Ok(true)
}
