//! Which rows of the KV cache are whose: several conversations share one cache, a range of rows each.
//!
//! Book-keeping alone: what is to be copied is told, in order, to whoever holds the rows. Conversations that nobody goes on with
//! just now are kept as long as there is room, the last used the longest, but for those of which somebody wants it otherwise: a
//! prompt that begins like one of them is forwarded from where they differ.

use serde::{Deserialize, Serialize};

use crate::session::{Retention, Session, grown_capacity, shared};
use crate::{Error, ErrorCode, Result};

/// Tokens of a conversation that are given up for another that begins alike; where there are more, the beginning is copied.
const TAIL: usize = 16;

/// Rows that are to be copied. They may overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    /// The first of them.
    pub from: usize,
    /// Where it goes.
    pub to: usize,
    /// How many.
    pub rows: usize,
}

/// Rows of a conversation.
#[derive(Clone, Copy, Debug)]
struct Region {
    id: u32,
    first: usize,
    rows: usize,
}

impl Region {
    const fn end(&self) -> usize {
        self.first.saturating_add(self.rows)
    }
}

/// What a conversation held that somebody goes on with.
#[derive(Clone, Debug)]
struct Busy {
    id: u32,
    weights: u64,
    tokens: Vec<u32>,
    /// Of one that was idle and is not to be kept now: what it was to be kept as, and so many of its tokens.
    before: Option<(Retention, usize)>,
}

/// The rows of a KV cache.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Tokens of a conversation at most.
    context: usize,
    /// Rows at most.
    most: usize,
    /// Rows that those who are idle may take with others: beyond, they are given up.
    kept: usize,
    /// In the order of their rows.
    regions: Vec<Region>,
    /// Nobody goes on with them now; the last used last.
    idle: Vec<Session>,
    /// Of those that somebody goes on with: what they held when they were taken.
    busy: Vec<Busy>,
    next_id: u32,
    /// Those that conversations are begun and found with.
    weights: u64,
}

impl Pool {
    /// `most_rows` for conversations of `context` tokens at most, and `kept_rows` for as long as there are such that nobody goes
    /// on with.
    #[must_use]
    pub const fn new(context: usize, most_rows: usize, kept_rows: usize) -> Self {
        Self {
            context,
            most: most_rows,
            kept: kept_rows,
            regions: Vec::new(),
            idle: Vec::new(),
            busy: Vec::new(),
            next_id: 0,
            weights: 0,
        }
    }

    /// Begins and finds conversations with these weights from now on: what others were read with is of no use to them.
    pub const fn set_weights(&mut self, weights: u64) {
        self.weights = weights;
    }

    /// A conversation that holds the beginning of `prompt`, as much of it as is known: of one that is given up for it, or a
    /// copy; and a copy of any that would lose something which is to be kept, if there is room. At least the prompt's last token is
    /// not in it. The copies come first.
    ///
    /// # Errors
    /// Those of [`Self::reserve`].
    pub fn take(&mut self, prompt: &[u32], retention: Retention) -> Result<(Session, Vec<Copy>)> {
        let (mut session, copies) = self.begin(prompt, retention)?;
        // It may have been another's: what that shares with it goes back.
        let before = (retention == Retention::Drop && !session.is_empty() && copies.is_empty())
            .then(|| (session.retention(), session.tokens().len()));
        session.retain(retention);
        // What it holds now stays as it is, whatever is added.
        self.busy.push(Busy {
            id: session.id(),
            weights: session.weights(),
            tokens: session.tokens().to_vec(),
            before,
        });
        Ok((session, copies))
    }

    fn begin(&mut self, prompt: &[u32], retention: Retention) -> Result<(Session, Vec<Copy>)> {
        // Of equals the last used.
        let idle = self.idle.iter().filter(|it| it.weights() == self.weights);
        let idle = idle.max_by_key(|it| it.shared(prompt));
        let idle = idle.map(|it| (it.id(), it.shared(prompt), it));
        let would_lose = idle.is_some_and(|(_, common, it)| {
            let surplus = it.tokens().len().saturating_sub(common);
            // The same prompt again is answered in place of the answer that it had.
            let is_again = common.saturating_add(1) == prompt.len();
            match (it.retention(), retention) {
                (_, Retention::Drop) => true,
                (Retention::Keep, _) => surplus > 0,
                _ => surplus > TAIL && !is_again,
            }
        });
        let idle = idle.map(|(id, common, _)| (id, common));
        let busy = self.busy.iter().filter(|it| it.weights == self.weights);
        let busy = busy.map(|it| (it.id, shared(&it.tokens, prompt)));
        let busy = busy.max_by_key(|(_, common)| *common);
        let (source, common) = idle.unwrap_or_default();
        if let Some((source, more)) = busy.filter(|(_, more)| *more > common.max(TAIL))
            && let Some(copy) = self.copy_of(source, more, prompt)?
        {
            return Ok(copy);
        }
        if common == 0 {
            return Ok((self.open(), Vec::new()));
        }
        if would_lose && let Some(copy) = self.copy_of(source, common, prompt)? {
            if retention == Retention::Keep {
                // What is to be kept of it is in the copy.
                let idle = self.idle.iter_mut().filter(|it| it.id() == source);
                idle.for_each(Session::release);
            }
            return Ok(copy);
        }
        // Others may have been given up meanwhile.
        let mut session = match self.idle.iter().position(|it| it.id() == source) {
            Some(at) => self.idle.remove(at),
            None => self.open(),
        };
        session.reuse(prompt);
        Ok((session, Vec::new()))
    }

    /// Another conversation with the first tokens of one; nothing where there is no room for it.
    fn copy_of(
        &mut self,
        source: u32,
        common: usize,
        prompt: &[u32],
    ) -> Result<Option<(Session, Vec<Copy>)>> {
        let mut copy = self.open();
        let Some(mut copies) = self.reserve_beside(&copy, common, source)? else {
            self.forget(&copy);
            return Ok(None);
        };
        copies.push(Copy {
            from: self.first_of(source),
            to: self.first_of(copy.id()),
            rows: common,
        });
        copy.record(prompt.get(..common).unwrap_or_default())?;
        Ok(Some((copy, copies)))
    }

    /// Where a conversation begins that is idle and that begins with all of `ids`, if there is such.
    #[must_use]
    pub fn beginning(&self, ids: &[u32]) -> Option<usize> {
        let mut own = self.idle.iter().filter(|it| it.weights() == self.weights);
        let found = own.find(|it| it.tokens().starts_with(ids))?;
        Some(self.first_of(found.id()))
    }

    /// Others may begin with what a conversation holds now that somebody goes on with: it stays as it is, whatever is added.
    pub fn share(&mut self, session: &Session) {
        if let Some(busy) = self.busy.iter_mut().find(|it| it.id == session.id()) {
            busy.tokens = session.tokens().to_vec();
        }
    }

    /// Keeps a conversation until somebody goes on with it, or its rows are needed; one that is not to be kept is given up.
    pub fn put_back(&mut self, mut session: Session) {
        let busy = self.busy.iter().position(|it| it.id == session.id());
        let busy = busy.map(|at| self.busy.remove(at));
        if session.retention() == Retention::Drop {
            let (retention, tokens) = busy.and_then(|it| it.before).unwrap_or_default();
            session.cut(tokens, retention);
        }
        if session.is_empty() {
            self.forget(&session);
        } else {
            self.idle.push(session);
        }
    }

    /// Gives up a conversation's rows.
    pub fn forget(&mut self, session: &Session) {
        self.busy.retain(|it| it.id != session.id());
        self.regions.retain(|region| region.id != session.id());
    }

    /// Has no more rows than these from now on, but for those that are somebody's.
    pub const fn limit(&mut self, most_rows: usize) {
        self.most = most_rows;
    }

    /// Rows that may be taken now.
    fn limit_now(&self) -> usize {
        match self.idle.is_empty() {
            true => self.most,
            false => self.most.min(self.kept),
        }
    }

    /// Tokens that a conversation has room for.
    #[must_use]
    pub fn room(&self, session: &Session) -> usize {
        let region = self.regions.iter().find(|it| it.id == session.id());
        region.map_or(0, |region| region.rows)
    }

    /// Forgets all that nobody goes on with.
    pub fn forget_idle(&mut self) {
        for session in std::mem::take(&mut self.idle) {
            self.forget(&session);
        }
    }

    /// Where the conversation's first token is.
    #[must_use]
    pub fn first_row(&self, session: &Session) -> usize {
        self.first_of(session.id())
    }

    /// Rows up to the last that is anybody's.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.regions.last().map_or(0, Region::end)
    }

    /// Makes room for `tokens` of a conversation; the copies come first. Others that are idle may be given up for it.
    ///
    /// # Errors
    /// `context_length_exceeded` with both numbers; `busy` when too many conversations go on at once.
    pub fn reserve(&mut self, session: &Session, tokens: usize) -> Result<Vec<Copy>> {
        let id = session.id();
        loop {
            if let Some(copies) = self.place(id, tokens)? {
                return Ok(copies);
            }
            if !self.give_up(None) {
                return self.pack(id, tokens);
            }
        }
    }

    /// The same, without giving up the conversation `source`; nothing where there is no room then.
    fn reserve_beside(
        &mut self,
        session: &Session,
        tokens: usize,
        source: u32,
    ) -> Result<Option<Vec<Copy>>> {
        loop {
            if let Some(copies) = self.place(session.id(), tokens)? {
                return Ok(Some(copies));
            }
            if !self.give_up(Some(source)) {
                return Ok(None);
            }
        }
    }

    /// Gives up the conversation that can best be done without: the longest unused, if there are such that need not be kept, of
    /// those. Whether there was one besides `but`.
    fn give_up(&mut self, but: Option<u32>) -> bool {
        let others = self.idle.iter().enumerate();
        let others = others.filter(|(_, it)| Some(it.id()) != but);
        let Some((at, _)) = others.min_by_key(|(_, it)| it.retention() == Retention::Keep) else {
            return false;
        };
        let given_up = self.idle.remove(at);
        self.forget(&given_up);
        true
    }

    /// Room for so many tokens where there is some free now.
    fn place(&mut self, id: u32, tokens: usize) -> Result<Option<Vec<Copy>>> {
        let rows = grown_capacity(tokens, self.context)?;
        let most = self.limit_now();
        let own = self.regions.iter().position(|region| region.id == id);
        if let Some(at) = own {
            let next = self.regions.get(at.saturating_add(1));
            let limit = next.map_or(most, |next| next.first);
            if let Some(region) = self.regions.get_mut(at) {
                if region.rows >= tokens {
                    return Ok(Some(Vec::new()));
                }
                if region.first.saturating_add(rows) <= limit {
                    region.rows = rows;
                    return Ok(Some(Vec::new()));
                }
            }
        }
        let mut first = 0;
        let mut at = 0;
        for region in &self.regions {
            if region.first.saturating_sub(first) >= rows {
                break;
            }
            first = region.end();
            at += 1;
        }
        if first.saturating_add(rows) > most {
            return Ok(None);
        }
        let from = own.and_then(|at| self.regions.get(at)).copied();
        self.regions.insert(at, Region { id, first, rows });
        let Some(from) = from else {
            return Ok(Some(Vec::new()));
        };
        self.regions
            .retain(|region| region.id != id || region.first == first);
        // All of it: steps may have been submitted beyond what is known.
        Ok(Some(vec![Copy {
            from: from.first,
            to: first,
            rows: from.rows,
        }]))
    }

    /// Puts all conversations side by side, with room for one to grow between them.
    fn pack(&mut self, id: u32, tokens: usize) -> Result<Vec<Copy>> {
        let rows = grown_capacity(tokens, self.context)?;
        let others = self.regions.iter().filter(|region| region.id != id);
        let taken: usize = others.map(|region| region.rows).sum();
        if taken.saturating_add(rows) > self.most {
            return Err(Error::new(
                ErrorCode::Busy,
                "the model goes on with as many conversations as its cache has room for; wait for one of them",
            ));
        }
        let mut copies = Vec::new();
        let mut move_to = |region: &mut Region, first: usize| {
            if region.first != first {
                copies.push(Copy {
                    from: region.first,
                    to: first,
                    rows: region.rows,
                });
                region.first = first;
            }
        };
        // Down, the first one first; then those behind the one that grows up again, the last one first.
        let mut first = 0;
        for region in &mut self.regions {
            move_to(region, first);
            first = region.end();
        }
        let Some(own) = self.regions.iter().position(|region| region.id == id) else {
            self.regions.push(Region { id, first, rows });
            return Ok(copies);
        };
        let (before, behind) = self.regions.split_at_mut(own.saturating_add(1));
        let more = before.last().map_or(0, |own| rows.saturating_sub(own.rows));
        for region in behind.iter_mut().rev() {
            let first = region.first.saturating_add(more);
            move_to(region, first);
        }
        if let Some(own) = before.last_mut() {
            own.rows = rows;
        }
        Ok(copies)
    }

    /// A conversation that holds nothing yet.
    pub fn open(&mut self) -> Session {
        self.next_id = self.next_id.wrapping_add(1);
        let context = u32::try_from(self.context).unwrap_or(u32::MAX);
        Session::numbered(context, self.next_id, self.weights)
    }

    fn first_of(&self, id: u32) -> usize {
        let region = self.regions.iter().find(|region| region.id == id);
        region.map_or(0, |region| region.first)
    }
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test stops at the first surprise; its numbers are small"
)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// A pool, and rows that hold what its conversations should find there.
    struct Rows {
        pool: Pool,
        rows: Vec<Option<(u32, usize)>>,
        /// Tokens that had to be forwarded.
        forwarded: usize,
    }

    impl Rows {
        fn new(context: usize, conversations: usize) -> Self {
            Self::keeping(context, conversations, conversations * context)
        }

        fn keeping(context: usize, conversations: usize, kept: usize) -> Self {
            Self {
                pool: Pool::new(context, conversations * context, kept),
                rows: Vec::new(),
                forwarded: 0,
            }
        }

        fn copy(&mut self, copies: &[Copy]) {
            self.rows
                .resize(self.pool.rows().max(self.rows.len()), None);
            for &Copy { from, to, rows } in copies {
                let moved = self.rows[from..from + rows].to_vec();
                self.rows[to..to + rows].copy_from_slice(&moved);
            }
        }

        fn take(&mut self, prompt: &[u32]) -> Session {
            self.take_to(Retention::Usual, prompt)
        }

        fn take_to(&mut self, retention: Retention, prompt: &[u32]) -> Session {
            let (mut session, copies) = self.pool.take(prompt, retention).unwrap();
            self.copy(&copies);
            self.go_on(&mut session, prompt).unwrap();
            session
        }

        /// Forwards what is missing of `tokens`.
        fn go_on(&mut self, session: &mut Session, tokens: &[u32]) -> Result<()> {
            let copies = self.pool.reserve(session, tokens.len())?;
            self.copy(&copies);
            let (first, held) = (self.pool.first_row(session), session.tokens().len());
            for (position, id) in tokens.iter().enumerate().skip(held) {
                self.rows[first + position] = Some((*id, position));
                self.forwarded += 1;
            }
            session.record(&tokens[held..]).unwrap();
            self.check(session);
            Ok(())
        }

        fn check(&self, session: &Session) {
            let first = self.pool.first_row(session);
            for (position, id) in session.tokens().iter().enumerate() {
                assert_eq!(
                    self.rows[first + position],
                    Some((*id, position)),
                    "{session:?}"
                );
            }
        }

        /// Forwards a prompt and keeps it; how many tokens of it were known.
        fn ask(&mut self, prompt: &[u32]) -> usize {
            self.ask_to(Retention::Usual, prompt)
        }

        fn ask_to(&mut self, retention: Retention, prompt: &[u32]) -> usize {
            let before = self.forwarded;
            let session = self.take_to(retention, prompt);
            self.pool.put_back(session);
            prompt.len() - (self.forwarded - before)
        }
    }

    fn chat(beginning: &[u32], own: u32, length: usize) -> Vec<u32> {
        let own = (0..length).map(|ix| own + ix as u32);
        beginning.iter().copied().chain(own).collect()
    }

    /// Of an idle conversation, of a busy one, and of one that is saved.
    #[test]
    fn what_other_weights_have_read_is_not_shared() {
        let mut rows = Rows::new(2048, 4);
        let prompt: Vec<u32> = (0..100).collect();
        assert_eq!(rows.ask(&prompt), 0);
        rows.pool.set_weights(7);
        assert_eq!(rows.pool.beginning(&prompt), None);
        assert_eq!(rows.ask(&prompt), 0, "an idle one is of other weights");
        assert_eq!(rows.ask(&prompt), 99);
        let busy = rows.take(&prompt);
        rows.pool.set_weights(0);
        assert!(rows.pool.beginning(&prompt).is_some());
        let other = rows.take(&prompt);
        rows.pool.set_weights(8);
        assert_eq!(rows.ask(&prompt), 0, "both are busy, of others");
        rows.pool.put_back(busy);
        rows.pool.put_back(other);
        rows.pool.set_weights(7);
        assert_eq!(rows.ask(&prompt), 99);
    }

    #[test]
    fn conversations_keep_what_is_theirs_and_share_how_they_begin() {
        let mut rows = Rows::new(2048, 4);
        let system: Vec<u32> = (0..300).collect();
        let a = chat(&system, 1000, 100);
        let b = chat(&system, 2000, 80);
        assert_eq!(rows.ask(&a), 0, "nothing is known");
        assert_eq!(rows.ask(&b), 300, "the beginning is shared");
        for turn in 0..5 {
            let more = |chat: &[u32]| [chat, &[7 + turn; 20]].concat();
            assert_eq!(rows.ask(&more(&a)), 400, "turn {turn}");
            assert_eq!(rows.ask(&more(&b)), 380, "turn {turn}");
        }
        assert_eq!(rows.ask(&[5; 9]), 0, "another");
        assert_eq!(
            rows.ask(&a),
            399,
            "all but the last, which gives the logits"
        );
        let regions = rows.pool.regions.len();
        let beginning = rows.pool.beginning(&a).unwrap();
        assert_eq!(rows.rows[beginning + 399], Some((1099, 399)));
        assert_eq!(rows.pool.beginning(&[&a[..], &[4]].concat()), None);
        assert_eq!(rows.ask(&system), 299, "the same again");
        assert_eq!(rows.pool.regions.len(), regions, "in its place");
    }

    #[test]
    fn what_a_busy_one_began_with_is_shared_too() {
        let mut rows = Rows::new(1024, 4);
        let rules: Vec<u32> = (0..200).collect();
        assert_eq!(rows.ask(&rules), 0);
        let before = rows.forwarded;
        let open: Vec<_> = (0..4)
            .map(|ix| rows.take(&chat(&rules, 1000 * (ix + 1), 30)))
            .collect();
        assert_eq!(
            rows.forwarded - before,
            4 * 30,
            "nobody reads the rules again"
        );
        open.iter().for_each(|session| rows.check(session));
        open.into_iter()
            .for_each(|session| rows.pool.put_back(session));
        assert!(rows.pool.busy.is_empty());
    }

    #[test]
    fn what_a_busy_one_has_read_since_is_shared_when_it_says_so() {
        let mut rows = Rows::new(1024, 4);
        let rules: Vec<u32> = (0..200).collect();
        let first = rows.take(&rules);
        let before = rows.forwarded;
        let other = rows.take(&chat(&rules, 1000, 30));
        assert_eq!(rows.forwarded - before, 230, "nothing is known of it");
        rows.pool.share(&first);
        let before = rows.forwarded;
        let third = rows.take(&chat(&rules, 2000, 30));
        assert_eq!(rows.forwarded - before, 30, "the rules are known");
        for session in [first, other, third] {
            rows.check(&session);
            rows.pool.put_back(session);
        }
    }

    #[test]
    fn a_short_end_is_given_up_and_a_long_one_is_not() {
        let mut rows = Rows::new(1024, 4);
        let a = chat(&[], 0, 200);
        rows.ask(&a);
        let regions = |rows: &Rows| rows.pool.regions.len();
        assert_eq!(rows.ask(&chat(&a[..190], 900, 30)), 190, "ten are given up");
        assert_eq!(regions(&rows), 1, "in its place");
        assert_eq!(rows.ask(&chat(&a[..100], 500, 30)), 100, "a fork");
        assert_eq!(regions(&rows), 2, "beside it");
        assert_eq!(
            rows.ask(&chat(&a[..190], 900, 31)),
            220,
            "which is still there"
        );
    }

    #[test]
    fn the_longest_unused_goes_first() {
        let mut rows = Rows::new(256, 3);
        let chats: Vec<_> = (0..4).map(|ix| chat(&[], ix * 1000, 100)).collect();
        for chat in &chats[..3] {
            assert_eq!(rows.ask(chat), 0);
        }
        assert_eq!(rows.ask(&chats[0]), 99, "used again");
        assert_eq!(rows.ask(&chats[3]), 0, "takes the place of the second");
        assert_eq!(rows.ask(&chats[0]), 99);
        assert_eq!(rows.ask(&chats[2]), 99);
        assert_eq!(rows.ask(&chats[1]), 0);
    }

    #[test]
    fn what_is_to_be_kept_goes_last_whoever_goes_on_with_it() {
        let mut rows = Rows::new(256, 3);
        let chats: Vec<_> = (0..5).map(|ix| chat(&[], ix * 1000, 100)).collect();
        assert_eq!(rows.ask_to(Retention::Keep, &chats[0]), 0);
        for chat in &chats[1..] {
            assert_eq!(rows.ask(chat), 0);
        }
        let longer = [&chats[0][..], &[7; 20]].concat();
        assert_eq!(rows.ask(&longer), 100, "it is still there");
        for chat in &chats[1..] {
            rows.ask(chat);
        }
        assert_eq!(rows.ask(&longer), 119, "and so it is now");
        for ix in 0..3 {
            rows.ask_to(Retention::Keep, &chat(&[], 9000 * (ix + 1), 100));
        }
        assert_eq!(
            rows.ask(&longer),
            0,
            "where all are, the longest unused goes"
        );
    }

    #[test]
    fn what_is_to_be_kept_is_not_written_over_while_there_is_room() {
        let mut rows = Rows::new(1024, 4);
        let rules: Vec<u32> = (0..200).collect();
        let whole = [&rules[..], &[7; 100]].concat();
        rows.ask_to(Retention::Keep, &whole);
        assert_eq!(rows.ask(&rules), 199, "its beginning again");
        assert_eq!(rows.ask(&whole), 299, "it is whole");
        assert_eq!(rows.ask(&chat(&whole[..290], 5000, 30)), 290, "a short end");
        assert_eq!(rows.ask(&whole), 299, "it is whole");
        let kept = |rows: &Rows| -> Vec<usize> {
            let kept = rows.pool.idle.iter();
            let kept = kept.filter(|it| it.retention() == Retention::Keep);
            kept.map(|it| it.tokens().len()).collect()
        };
        assert_eq!(kept(&rows), [300], "nothing else");
        // A turn whose thoughts are left out in the next one: what goes on is kept in its place.
        let mut rows = Rows::new(1024, 4);
        rows.ask_to(Retention::Keep, &whole);
        let next = chat(&whole[..250], 6000, 80);
        assert_eq!(rows.ask_to(Retention::Keep, &next), 250);
        assert_eq!(kept(&rows), [330]);
    }

    #[test]
    fn what_is_to_be_dropped_is_gone_and_nothing_else_with_it() {
        let mut rows = Rows::new(1024, 4);
        let rules: Vec<u32> = (0..200).collect();
        assert_eq!(rows.ask(&rules), 0);
        let secret = chat(&rules, 5000, 10);
        assert_eq!(
            rows.ask_to(Retention::Drop, &secret),
            200,
            "it may begin so"
        );
        let regions = rows.pool.regions.len();
        assert_eq!(
            rows.ask_to(Retention::Drop, &secret),
            200,
            "nothing of its own"
        );
        assert_eq!(rows.pool.regions.len(), regions, "it has no rows");
        assert_eq!(rows.pool.beginning(&secret), None);
        assert!(rows.pool.beginning(&rules).is_some(), "the rules stay");
        // Where there is no room for a copy, the conversation itself is taken, and what it shares with it stays.
        let mut rows = Rows::new(256, 1);
        rows.ask_to(Retention::Keep, &rules);
        assert_eq!(rows.ask_to(Retention::Drop, &secret), 200);
        assert_eq!(rows.pool.beginning(&secret), None);
        assert_eq!(rows.pool.idle[0].tokens(), rules);
        assert_eq!(rows.pool.idle[0].retention(), Retention::Keep);
        assert_eq!(rows.ask(&rules), 199);
        let mut rows = Rows::new(256, 1);
        assert_eq!(rows.ask_to(Retention::Drop, &secret), 0);
        assert!(rows.pool.regions.is_empty() && rows.pool.idle.is_empty());
    }

    #[test]
    fn idle_ones_take_no_more_than_they_may_and_busy_ones_do() {
        let mut rows = Rows::keeping(2048, 4, 700);
        let chats: Vec<_> = (0..3).map(|ix| chat(&[], ix * 1000, 100)).collect();
        for chat in &chats {
            rows.ask(chat);
        }
        assert!(rows.pool.rows() <= 700, "two of them");
        assert_eq!(rows.ask(&chats[2]), 99, "the last one");
        assert_eq!(rows.ask(&chats[0]), 0, "not the first one");
        let long = rows.take(&chat(&[], 9000, 1500));
        assert!(rows.pool.idle.is_empty(), "all are given up for it");
        let other = rows.take(&chat(&[], 12_000, 1500));
        rows.check(&long);
        rows.pool.put_back(long);
        rows.pool.put_back(other);
        assert_eq!(rows.ask(&[1, 2]), 0);
        assert!(rows.pool.rows() <= 4096, "where one of them was");
    }

    #[test]
    fn as_many_as_there_is_room_for_grow_side_by_side_and_more_are_refused() {
        let mut rows = Rows::new(1024, 3);
        let mut open: Vec<_> = (0..3)
            .map(|ix| rows.take(&chat(&[], ix * 5000, 10)))
            .collect();
        for length in [200, 257, 300, 600, 1024] {
            for (ix, session) in open.iter_mut().enumerate() {
                rows.go_on(session, &chat(&[], ix as u32 * 5000, length))
                    .unwrap();
            }
            open.iter().for_each(|session| rows.check(session));
        }
        assert!(rows.pool.rows() <= 3 * 1024, "within its bounds");
        let (other, _) = rows.pool.take(&[1, 2], Retention::Usual).unwrap();
        let error = rows.pool.reserve(&other, 2).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Busy, "{error}");
        rows.pool.forget(&other);
        rows.pool.put_back(open.pop().unwrap());
        assert_eq!(rows.ask(&[1, 2, 3]), 0, "the one that is idle makes room");
        let error = rows.pool.reserve(&open[0], 1025).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ContextLengthExceeded, "{error}");
    }

    #[test]
    fn whatever_happens_everybody_finds_what_is_theirs() {
        let mut rows = Rows::new(1024, 3);
        let mut random = Random(3);
        let mut open: Vec<Session> = Vec::new();
        for _ in 0..2000 {
            let pick = random.word() as usize;
            match random.word() % 4 {
                0 if open.len() < 3 => {
                    let chat = chat(&[1; 40], 100 * (pick as u32 % 6), pick % 300 + 1);
                    let retention = match random.word() % 4 {
                        0 => Retention::Keep,
                        1 => Retention::Drop,
                        _ => Retention::Usual,
                    };
                    open.push(rows.take_to(retention, &chat));
                }
                1 if !open.is_empty() => {
                    let session = open.swap_remove(pick % open.len());
                    rows.pool.put_back(session);
                }
                _ if !open.is_empty() => {
                    let at = pick % open.len();
                    let length = (open[at].tokens().len() + pick % 200).min(1024);
                    let mut tokens = open[at].tokens().to_vec();
                    tokens.resize(length, 7);
                    rows.go_on(&mut open[at], &tokens).unwrap();
                }
                _ => {}
            }
            assert!(rows.pool.rows() <= 3 * 1024, "within its bounds");
            open.iter().for_each(|session| rows.check(session));
            rows.pool
                .idle
                .iter()
                .for_each(|session| rows.check(session));
        }
    }
}
