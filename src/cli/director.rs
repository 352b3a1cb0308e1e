//! The director: plays the cards that the hub's cues call for, with the driver of the instance that runs here.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{anyhow, bail};
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;

use super::theatre::Theatre;
use crate::{
    domain::{
        entry::Kind,
        playbill::{Cue, End, Offer, Plan, PlayEvent, Verdict},
    },
    engine::{
        docker::ConnectError,
        scenario::{self, Card, Cast, Event, Report, Shelf, ShelfError, Shelved},
    },
    hub::{Driver, Hub, Window},
};

/// How fast the time of a simulated daemon passes: slow enough to be watched.
const SPEED: f64 = 5.0;
/// How long each step stays before the next begins, so that an audience sees it.
const BEAT: Duration = Duration::from_millis(400);
/// How long others must be silent before a card begins, and how long that is waited for.
const SILENCE: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(3)];
/// How long the demo may take to come to rest: more than a daemon's five tries.
const REST: Duration = Duration::from_secs(20);

/// Plays cards for whoever asks for them.
pub struct Director {
    /// Where cues come from, and what is played is noted.
    pub hub: Arc<Hub>,
    /// Where the cards are.
    pub shelf: Shelf,
    /// Where the driver has its volumes.
    pub files: PathBuf,
    /// What the random IDs of a simulated daemon are drawn from.
    pub seed: u64,
    /// Whether the demo's life has come to rest, in a demo. Its cards are never played on a real engine.
    pub demo: Option<watch::Receiver<bool>>,
}

impl Director {
    /// Follows the cues until the end. What is played then is ended in order.
    pub async fn direct(self, closing: CancellationToken) {
        let mut cues = self.hub.cues();
        loop {
            let cue = tokio::select! {
                biased;
                () = closing.cancelled() => return,
                // The sender lives as long as the hub.
                cue = cues.wait_for(Option::is_some) => cue.ok().and_then(|cue| cue.clone()),
            };
            let Some(cue) = cue else { return };
            let end = self.follow(&cue, &mut cues, &closing).await;
            // A user may have written one meanwhile.
            offer(&self.hub, &self.shelf, self.demo.is_none());
            self.note(PlayEvent::Ended { card: cue.card, end });
        }
    }

    /// Plays a card as its cue says, which changes meanwhile.
    async fn follow(
        &self,
        cue: &Cue,
        cues: &mut watch::Receiver<Option<Cue>>,
        closing: &CancellationToken,
    ) -> End {
        let (allow, allowed) = watch::channel(cue.allowed);
        let stop = closing.child_token();
        let playing = self.play(cue, allowed, &stop);
        tokio::pin!(playing);
        loop {
            tokio::select! {
                end = &mut playing => return end,
                Ok(()) = cues.changed() => {
                    if let Some(cue) = &*cues.borrow_and_update() {
                        allow.send_replace(cue.allowed);
                        if cue.stopped {
                            stop.cancel();
                        }
                    }
                }
            }
        }
    }

    async fn play(&self, cue: &Cue, allowed: watch::Receiver<usize>, stop: &CancellationToken) -> End {
        let prepared = tokio::select! {
            () = stop.cancelled() => return End { verdict: Verdict::Stopped, problems: Vec::new() },
            prepared = self.prepare(cue, allowed) => prepared,
        };
        match prepared {
            Ok((card, cast)) => ended(scenario::play(&card, &cast, |event| self.tell(event), stop).await),
            Err(why) => End { verdict: Verdict::Skipped, problems: vec![why.to_string()] },
        }
    }

    /// All that comes before the first step.
    async fn prepare(&self, cue: &Cue, allowed: watch::Receiver<usize>) -> anyhow::Result<(Card, Cast)> {
        let card = self.shelf.find(&cue.card)?.card;
        // The file may have changed since the card was offered.
        if card.dangerous && !cue.dangerous && self.demo.is_none() {
            bail!("the card has become dangerous; if you mean it: play {} --dangerous", card.name);
        }
        let (theatre, engine) = self.theatre(cue.dangerous).await?;
        let cast = theatre.cast(&self.hub, BEAT, allowed)?;
        let Driver { name, address, .. } = self.hub.glance(&Window::default()).driver;
        let steps = card.steps.iter().map(|step| Plan {
            line: step.shown(&name, &address),
            say: step.say.clone(),
            expected: step.expected(),
        });
        self.note(PlayEvent::Begun {
            card: card.name.clone(),
            title: card.title.clone(),
            engine,
            steps: steps.collect(),
        });
        self.wait_for_others().await?;
        Ok((card, cast))
    }

    /// The real engine if it answers and finds the driver, else a simulated one; and which it is, in words.
    async fn theatre(&self, may_harm: bool) -> Result<(Theatre, String), ConnectError> {
        let why = if self.demo.is_some() {
            ""
        } else if self.hub.glance(&Window::default()).driver.remedy.is_some() {
            ", since docker does not find the driver"
        } else {
            match Theatre::docker(may_harm).await {
                Err(ConnectError::Unreachable(_)) => ", since docker does not answer",
                theatre => return Ok((theatre?, "docker".into())),
            }
        };
        let theatre = Theatre::Simulated { files: self.files.clone(), seed: self.seed, speed: SPEED };
        Ok((theatre, format!("a simulated daemon whose time passes {SPEED} times as fast{why}")))
    }

    /// Lets others end what they have begun, so that nobody mistakes their calls for the card's.
    ///
    /// The demo stands still while a card is played, and the card has a daemon of its own: a shared one would know
    /// volumes that the card's author did not think of, and a card that restarts it would end the demo's life.
    async fn wait_for_others(&self) -> anyhow::Result<()> {
        if let Some(mut rests) = self.demo.clone() {
            let rests = timeout(REST, rests.wait_for(|rests| *rests)).await;
            rests.map_err(|_| anyhow!("what the demo has begun does not end; try again in a while"))?.ok();
        }
        let [silence, patience] = SILENCE;
        let mut changes = self.hub.changes();
        let silent = async { while timeout(silence, changes.changed()).await.is_ok() {} };
        // A driver that is never silent has users of its own, and the card does not count calls about their volumes.
        timeout(patience, silent).await.ok();
        Ok(())
    }

    fn tell(&self, event: Event<'_>) {
        self.note(match event {
            Event::Begun { index, line } => PlayEvent::Step { index, line: line.to_owned() },
            Event::Ended { index, report } => PlayEvent::Seen {
                index,
                line: report.line.clone(),
                seen: report.gist.clone(),
                problems: report.problems.clone(),
            },
            Event::Delayed { why } => PlayEvent::Delayed { why: why.to_owned() },
        });
    }

    fn note(&self, event: PlayEvent) {
        self.hub.record(Kind::Play(Box::new(event)));
    }
}

/// Offers all cards, and names of files that are none with what is wrong in them.
pub fn offer(hub: &Hub, shelf: &Shelf, is_real: bool) {
    let offers = shelf.all().into_iter();
    let offers = offers.map(|found| found.map_or_else(|error| unplayable(&error), offered));
    // Whoever has written one looks for it, or for what is wrong with it.
    let (mut offers, shipped): (Vec<_>, Vec<_>) = offers.partition(|offer| offer.own);
    offers.extend(shipped);
    hub.offer(offers, is_real);
}

fn offered(Shelved { card, file }: Shelved) -> Offer {
    let Card { name, title, shows, dangerous, slow, .. } = card;
    Offer { name, title, shows, dangerous, slow, own: file.is_some(), problem: None }
}

fn unplayable(error: &ShelfError) -> Offer {
    let (name, problem) = (error.name(), Some(error.to_string()));
    Offer { name, problem, own: true, ..Offer::default() }
}

fn ended(Report { verdict, mut problems, .. }: Report) -> End {
    let verdict = match verdict {
        scenario::Verdict::Held => Verdict::Held,
        scenario::Verdict::Failed => Verdict::Failed,
        scenario::Verdict::Stopped => Verdict::Stopped,
        scenario::Verdict::Skipped(why) => {
            problems.push(why);
            Verdict::Skipped
        }
    };
    End { verdict, problems }
}
