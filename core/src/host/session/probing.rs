//! Asks decoders how sure they are of a file: those of trusted plugins directly, all others one after the other on one thread.

#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use super::supervisor::{self, Silence};
use crate::host::ffi::fault::Failure;
use crate::host::ffi::input::PluginInput;
use crate::host::table::decoder::{DecoderKind, Hint};

/// A decoder, and how many bytes of the file's start it gets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    pub(crate) kind: DecoderKind,
    pub(crate) num_bytes: usize,
}

impl Question {
    fn ask(&self, head: &[u8], input: &PluginInput, hint: Hint) -> Result<u8, Failure> {
        self.kind.probe(head.get(..self.num_bytes).unwrap_or(head), input, hint)
    }
}

/// An answer, once there is one.
type Score = Result<u8, Failure>;

/// The scores of the decoders for a file that begins with `head`, in the order of the questions.
pub(crate) fn probe(questions: &[Question], head: &[u8], input: &PluginInput, hint: Hint) -> Vec<Score> {
    let refuse = |question: &Question| question.kind.standing().check().err().map(Err);
    let mut scores: Vec<Option<Score>> = questions.iter().map(refuse).collect();
    // Begun first, so that the threads are busy together.
    let mut round = Round::start(questions, &scores, head, input, hint);
    for (score, question) in scores.iter_mut().zip(questions) {
        if question.kind.is_trusted() {
            *score = Some(question.ask(head, input, hint));
        }
    }
    while let Some(current) = round.take() {
        match current.finish() {
            Outcome::Answered(answers) => {
                for (index, answer) in answers {
                    set(&mut scores, index, answer);
                }
            }
            // The others are asked again, without the one that did not answer.
            Outcome::Unanswered(index, failure) => {
                set(&mut scores, index, Err(failure));
                round = Round::start(questions, &scores, head, input, hint);
            }
            Outcome::Ended(failure) => {
                for score in &mut scores {
                    score.get_or_insert_with(|| Err(failure.clone()));
                }
            }
        }
    }
    scores.into_iter().map(|score| score.unwrap_or(Ok(0))).collect()
}

fn set(scores: &mut [Option<Score>], index: usize, answer: Score) {
    if let Some(score) = scores.get_mut(index) {
        *score = Some(answer);
    }
}

/// How a round ended.
enum Outcome {
    /// With an answer from each.
    Answered(Vec<(usize, Score)>),
    /// At the decoder with this index.
    Unanswered(usize, Failure),
    /// Before there was an answer.
    Ended(Failure),
}

/// Decoders that are asked on a thread of their own.
struct Round {
    questions: Vec<(usize, Question)>,
    num_done: Arc<AtomicUsize>,
    started: Result<Receiver<Vec<Score>>, Silence>,
}

impl Round {
    /// Asks the decoders of untrusted plugins that have no score yet; `None` if there are none.
    fn start(
        questions: &[Question],
        scores: &[Option<Score>],
        head: &[u8],
        input: &PluginInput,
        hint: Hint,
    ) -> Option<Self> {
        let is_open =
            |(question, score): (&Question, &Option<Score>)| score.is_none() && !question.kind.is_trusted();
        let open = questions.iter().zip(scores).enumerate().filter(|(_, pair)| is_open(*pair));
        let questions: Vec<_> = open.map(|(index, (question, _))| (index, *question)).collect();
        let most = questions.iter().map(|(_, question)| question.num_bytes).max()?;
        let (asked, input) = (questions.clone(), input.clone());
        let head = head.get(..most).unwrap_or(head).to_vec();
        let num_done = Arc::new(AtomicUsize::new(0));
        let (sender, receiver) = sync_channel(1);
        let count = Arc::clone(&num_done);
        let thread = move || {
            let ask = |(_, question): &(usize, Question)| {
                let score = question.ask(&head, &input, hint);
                count.fetch_add(1, Ordering::Relaxed);
                score
            };
            drop(sender.send(asked.iter().map(ask).collect()));
        };
        let started = supervisor::start(thread).map(|()| receiver);
        Some(Self { questions, num_done, started })
    }

    /// Waits for the answers.
    fn finish(self) -> Outcome {
        let Self { questions, num_done, started } = self;
        let num_done = || num_done.load(Ordering::Relaxed);
        let answers = started.and_then(|answers| supervisor::listen_to_several(&answers, &num_done));
        let silence = match answers {
            Ok(scores) => {
                return Outcome::Answered(
                    questions.into_iter().map(|(index, _)| index).zip(scores).collect(),
                );
            }
            Err(silence) => silence,
        };
        match (&silence, questions.get(num_done())) {
            (Silence::Late | Silence::Ended, Some((index, question))) => {
                let standing = question.kind.standing();
                Outcome::Unanswered(*index, supervisor::blame(standing, silence, "probing"))
            }
            _ => Outcome::Ended(silence.into_failure("probing")),
        }
    }
}
