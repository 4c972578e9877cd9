//! The names of before the move; gone with the next commit.

pub(crate) use crate::{
    deliveries::attempt::retry_after,
    deliveries::{
        attempt::{Answer, Next, Verdict, next},
        entity as parcel,
        entity::{KeyBefore, Keys, Parcel, Recipient},
        recovery::{Recovery, first_id_of},
        schedule,
        schedule::Schedule,
        traffic::{Candidate, Closed, Limits, Traffic},
    },
    letters::{Letter, write as write_letter},
    notifications::{
        page::page,
        routing::{Plan, Reach, Reaches, Telling, plan},
    },
    recipients::{
        preferences::Preferences,
        profile::{Profile, newest},
        signing_key as key,
        signing_key::{SigningKey, signatures},
    },
    transports::{
        email::smtp_replies as smtp,
        email::smtp_replies::Step,
        webhook::{public_address::is_public, webhook_body::body as webhook_body},
    },
    triggers::{
        payload as told,
        payload::Told,
        rules::{News, news},
    },
};
