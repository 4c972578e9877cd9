//! Parked messages of a service: list, show, replay, drop, edit.

use chrono::{DateTime, Utc};
use shared_events::{
    MessageId,
    parked::{
        ChosenParked, DropParked, EditParked, GetParked, ListParked, MOVES_MAX, NamedParked,
        PARKED_PAGE_MAX, ParkedDropped, ParkedEdited, ParkedFound, ParkedMessage, ParkedReplayed,
        RefusedParked, ReplayParked,
    },
};

use crate::{error::TellerError, owner::OwningService, teller::Teller};

/// The result of moving messages.
#[derive(Clone, Debug, Default)]
pub struct Moved {
    /// The moved messages.
    pub messages: Vec<NamedParked>,
    /// Chosen messages that are not replayed.
    pub refused: Vec<RefusedParked>,
    /// Names that no parked message has.
    pub not_found: Vec<String>,
}

/// One command's part of [`Moved`], and what the next command needs to know.
struct MovedPart {
    moved: Moved,
    at: DateTime<Utc>,
    more: bool,
}

impl Teller {
    /// The parked messages of a service, oldest first, over as many pages as there are.
    pub async fn list_parked(&self, of: OwningService) -> Result<Vec<ParkedMessage>, TellerError> {
        let mut found = Vec::new();
        let mut query = ListParked { after: None, limit: Some(PARKED_PAGE_MAX) };
        loop {
            let page = self.ask_owner(of, query.clone()).await?;
            found.extend(page.messages);
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(found),
            }
        }
    }

    /// One parked message with its body.
    pub async fn parked_message(
        &self,
        of: OwningService,
        message: &str,
    ) -> Result<ParkedFound, TellerError> {
        self.ask_owner(of, GetParked { message: message.to_owned() }).await
    }

    /// Returns messages to their queues; all, where no names are given. `id` is the id of the first
    /// command, and leads to the ids of the others.
    pub async fn replay_parked(
        &self,
        of: OwningService,
        id: MessageId,
        names: Option<&[String]>,
    ) -> Result<Moved, TellerError> {
        self.move_parked(id, names, async |id, chosen, before| {
            let command = ReplayParked { chosen, before };
            let done: ParkedReplayed = self.send_owner(of, id, command).await?;
            let ParkedReplayed { messages, refused, not_found, at, more, .. } = done;
            Ok(MovedPart { moved: Moved { messages, refused, not_found }, at, more })
        })
        .await
    }

    /// Drops messages for ever; all, where no names are given.
    pub async fn drop_parked(
        &self,
        of: OwningService,
        id: MessageId,
        names: Option<&[String]>,
    ) -> Result<Moved, TellerError> {
        self.move_parked(id, names, async |id, chosen, before| {
            let command = DropParked { chosen, before };
            let done: ParkedDropped = self.send_owner(of, id, command).await?;
            let ParkedDropped { messages, not_found, at, more, .. } = done;
            Ok(MovedPart { moved: Moved { messages, refused: vec![], not_found }, at, more })
        })
        .await
    }

    /// Gives a message other data, and returns it to its queue.
    pub async fn edit_parked(
        &self,
        of: OwningService,
        id: MessageId,
        command: EditParked,
    ) -> Result<ParkedEdited, TellerError> {
        self.send_owner(of, id, command).await
    }

    /// Sends as many commands as it takes: one command moves a hundred messages.
    async fn move_parked(
        &self,
        id: MessageId,
        names: Option<&[String]>,
        send: impl AsyncFn(
            MessageId,
            ChosenParked,
            Option<DateTime<Utc>>,
        ) -> Result<MovedPart, TellerError>,
    ) -> Result<Moved, TellerError> {
        let mut chosen: Vec<ChosenParked> = match names {
            None => vec![ChosenParked::All {}],
            Some(names) => {
                names.chunks(MOVES_MAX).map(|names| ChosenParked::Named(names.to_vec())).collect()
            }
        };
        chosen.reverse();
        let (mut all, mut before, mut number) = (Moved::default(), None, 0_u32);
        while let Some(next) = chosen.pop() {
            let id = match number {
                0 => id,
                _ => id.caused("parked", &number.to_be_bytes()),
            };
            number = number.saturating_add(1);
            let MovedPart { moved, at, more } = send(id, next.clone(), before).await?;
            before = before.or(Some(at));
            let is_moving = !moved.messages.is_empty();
            all.messages.extend(moved.messages);
            all.refused.extend(moved.refused);
            all.not_found.extend(moved.not_found);
            // Messages that are refused stay at the head of the queue.
            if more && is_moving {
                chosen.push(next);
            }
        }
        all.refused.dedup();
        Ok(all)
    }
}
