//! Whose turn it is, of several answers that are being made: they go on one after the other, and those that can in the same
//! steps.

/// Tokens of a turn. A chunk of a prompt counts by its tokens, a step of several answers once.
pub const TURN: usize = 8;

/// What an answer wants next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish<K> {
    /// Of the answer.
    pub id: u32,
    /// With which others it can go on: those that say the same. One that reads its prompt goes on alone.
    pub group: Option<K>,
}

/// Who goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// The answers; no wish, none.
    pub ids: Vec<u32>,
    /// Whether others wait until the turn is over.
    pub others: bool,
}

/// The order of turns: first come, first served, and who had one goes behind those who wait.
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    /// The first one's turn it is.
    queue: Vec<u32>,
    /// Who has gone on in this turn.
    served: Vec<u32>,
    /// Tokens of this turn.
    made: usize,
}

impl Schedule {
    /// Who goes on, of those who wish to, `most` at a time.
    #[must_use]
    pub fn next<K: PartialEq>(&mut self, wishes: &[Wish<K>], most: usize) -> Next {
        let wish = |id: u32| wishes.iter().find(|wish| wish.id == id);
        self.queue.retain(|id| wish(*id).is_some());
        let new = wishes.iter().map(|wish| wish.id);
        let new: Vec<_> = new.filter(|id| !self.queue.contains(id)).collect();
        self.queue.extend(new);
        let first = self.queue.first().copied();
        // Whoever had the turn may be gone.
        if self.is_over() || first.is_none_or(|first| !self.served.contains(&first)) {
            let (had, others): (Vec<_>, Vec<_>) =
                self.queue.iter().partition(|id| self.served.contains(id));
            self.queue = others;
            self.queue.extend(had);
            self.served.clear();
            self.made = 0;
        }
        let of = |id: &u32| wish(*id).and_then(|wish| wish.group.as_ref());
        let group = self.queue.first().and_then(of);
        let goes = |(at, id): &(usize, &u32)| *at == 0 || group.is_some() && of(id) == group;
        let ids: Vec<_> = self.queue.iter().enumerate().filter(goes).collect();
        let ids: Vec<_> = ids
            .into_iter()
            .map(|(_, id)| *id)
            .take(most.max(1))
            .collect();
        for id in &ids {
            if !self.served.contains(id) {
                self.served.push(*id);
            }
        }
        Next {
            others: ids.len() < self.queue.len(),
            ids,
        }
    }

    /// So many tokens were made of it.
    pub const fn made(&mut self, tokens: usize) {
        self.made = self.made.saturating_add(tokens);
    }

    /// Tokens that are left of the turn.
    #[must_use]
    pub const fn left(&self) -> usize {
        TURN.saturating_sub(self.made)
    }

    /// Whether the turn is over: whoever waits for all of this to pause may have it.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.made >= TURN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each wish as (id, group).
    fn wishes(all: &[(u32, Option<char>)]) -> Vec<Wish<char>> {
        let wish = |&(id, group): &(u32, Option<char>)| Wish { id, group };
        all.iter().map(wish).collect()
    }

    /// Who has the turns that come, each told once.
    fn turns(schedule: &mut Schedule, all: &[(u32, Option<char>)], count: usize) -> Vec<Vec<u32>> {
        let wishes = wishes(all);
        let turn = |schedule: &mut Schedule| {
            let ids = schedule.next(&wishes, 3).ids;
            while !schedule.is_over() {
                assert_eq!(schedule.next(&wishes, 3).ids, ids, "within a turn");
                schedule.made(1);
            }
            ids
        };
        (0..count).map(|_| turn(schedule)).collect()
    }

    #[test]
    fn those_that_can_go_together_and_the_others_by_turns() {
        let schedule = &mut Schedule::default();
        let all = [
            (1, Some('a')),
            (2, None),
            (3, Some('a')),
            (4, Some('b')),
            (5, None),
        ];
        let want = [vec![1, 3], vec![2], vec![4], vec![5], vec![1, 3], vec![2]];
        assert_eq!(turns(schedule, &all, 6), want);
        // One has read its prompt and joins; another has come, and one is gone.
        let all = [(2, Some('a')), (3, Some('a')), (4, Some('b')), (6, None)];
        assert_eq!(
            turns(schedule, &all, 4),
            [vec![4], vec![3, 2], vec![6], vec![4]],
            "whoever waited the longest"
        );
    }

    #[test]
    fn more_than_go_together_take_turns() {
        let schedule = &mut Schedule::default();
        let all: Vec<_> = (1..=5).map(|id| (id, Some('a'))).collect();
        let turns = turns(schedule, &all, 5);
        assert_eq!(turns[0], [1, 2, 3]);
        assert_eq!(turns[1], [4, 5, 1]);
        for id in 1..=5 {
            let had = turns.iter().filter(|ids| ids.contains(&id)).count();
            assert_eq!(had, 3, "{id}: {turns:?}");
        }
    }

    #[test]
    fn a_chunk_of_a_prompt_is_a_turn_and_one_alone_has_all_of_them() {
        let mut schedule = Schedule::default();
        let alone = wishes(&[(7, None)]);
        let next = schedule.next(&alone, 8);
        assert_eq!((next.ids, next.others), (vec![7], false));
        schedule.made(100);
        assert!(schedule.is_over());
        assert_eq!(schedule.left(), 0);
        assert_eq!(schedule.next(&alone, 8).ids, [7], "nobody else is there");
        assert_eq!(schedule.left(), TURN, "another turn");
        let both = wishes(&[(7, None), (8, Some('a'))]);
        let next = schedule.next(&both, 8);
        assert_eq!((next.ids, next.others), (vec![7], true), "it goes on");
        schedule.made(100);
        assert_eq!(schedule.next(&both, 8).ids, [8]);
        assert!(schedule.next::<char>(&[], 8).ids.is_empty(), "none is left");
    }

    #[test]
    fn who_comes_in_the_middle_of_a_turn_joins_those_it_can_go_with() {
        let mut schedule = Schedule::default();
        assert_eq!(schedule.next(&wishes(&[(1, Some('a'))]), 8).ids, [1]);
        schedule.made(3);
        let more = wishes(&[(1, Some('a')), (2, Some('a')), (3, Some('b'))]);
        assert_eq!(schedule.next(&more, 8).ids, [1, 2]);
        assert_eq!(schedule.left(), TURN - 3, "of the same turn");
        // The one that began it ends.
        let others = wishes(&[(2, Some('a')), (3, Some('b'))]);
        assert_eq!(schedule.next(&others, 8).ids, [2]);
        schedule.made(5);
        assert_eq!(schedule.next(&others, 8).ids, [3]);
    }
}
