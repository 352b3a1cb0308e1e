//! A plugin that keeps every byte that it gets, and answers with the bytes that it was given.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    sync::{Notify, mpsc},
};

/// What the plugin does when it has a whole request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Sends the pieces, one after the other, and goes on.
    Send(Vec<Vec<u8>>),
    /// The same, and closes the connection.
    SendAndClose(Vec<Vec<u8>>),
    /// Closes the connection while a byte is unread, which resets a Unix socket.
    Reset,
    /// Sends nothing until the connection ends.
    Silence,
}

impl Answer {
    pub fn json(body: &str) -> Self {
        let length = body.len();
        Self::Send(vec![format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()])
    }
}

/// What happens on the plugin's connections, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Connected,
    Request(Vec<u8>),
    Ended,
}

pub struct RecordedPlugin {
    pub path: PathBuf,
    answers: mpsc::UnboundedSender<Answer>,
    events: Arc<Mutex<Vec<Event>>>,
    news: Arc<Notify>,
    _place: TempDir,
}

impl RecordedPlugin {
    pub fn start() -> Self {
        let place = TempDir::new().expect("a place for the plugin");
        let path = place.path().join("plugin.sock");
        let listener = UnixListener::bind(&path).expect("the plugin binds");
        let (answers, queue) = mpsc::unbounded_channel();
        let queue = Arc::new(tokio::sync::Mutex::new(queue));
        let (events, news) = (Arc::<Mutex<Vec<Event>>>::default(), Arc::<Notify>::default());
        let record = {
            let (events, news) = (Arc::clone(&events), Arc::clone(&news));
            move |event| {
                events.lock().expect("no one panicked").push(event);
                news.notify_waiters();
            }
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (queue, record) = (Arc::clone(&queue), record.clone());
                tokio::spawn(async move {
                    record(Event::Connected);
                    serve(stream, &queue, &record).await;
                    record(Event::Ended);
                });
            }
        });
        Self { path, answers, events, news, _place: place }
    }

    pub fn address(&self) -> String {
        format!("unix:{}", self.path.display())
    }

    /// The answer to the next request that has none yet.
    pub fn answer(&self, answer: Answer) {
        self.answers.send(answer).expect("the plugin runs");
    }

    pub fn events(&self) -> Vec<Event> {
        self.events.lock().expect("no one panicked").clone()
    }

    pub fn requests(&self) -> Vec<Vec<u8>> {
        let requests = self.events().into_iter().filter_map(|event| match event {
            Event::Request(bytes) => Some(bytes),
            _ => None,
        });
        requests.collect()
    }

    /// Waits until an event has happened so many times.
    pub async fn wait_for(&self, event: &Event, times: usize) {
        let happened = async {
            loop {
                let news = self.news.notified();
                if self.events().iter().filter(|one| *one == event).count() >= times {
                    return;
                }
                news.await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), happened)
            .await
            .unwrap_or_else(|_| panic!("{event:?} not {times} times: {:?}", self.events()));
    }
}

async fn serve(
    mut stream: UnixStream,
    queue: &tokio::sync::Mutex<mpsc::UnboundedReceiver<Answer>>,
    record: &impl Fn(Event),
) {
    let mut bytes = Vec::new();
    loop {
        while length_of_request(&bytes).is_none_or(|length| bytes.len() < length) {
            if !matches!(stream.read_buf(&mut bytes).await, Ok(1..)) {
                return;
            }
        }
        let rest = bytes.split_off(length_of_request(&bytes).expect("the request is whole"));
        record(Event::Request(std::mem::replace(&mut bytes, rest)));
        let Some(answer) = queue.lock().await.recv().await else { return };
        let (pieces, goes_on) = match answer {
            Answer::Send(pieces) => (pieces, true),
            Answer::SendAndClose(pieces) => (pieces, false),
            Answer::Reset => return,
            Answer::Silence => {
                while matches!(stream.read_buf(&mut bytes).await, Ok(1..)) {}
                return;
            }
        };
        for piece in pieces {
            if stream.write_all(&piece).await.is_err() {
                return;
            }
            // Let the pieces arrive one by one.
            tokio::task::yield_now().await;
        }
        if !goes_on {
            return;
        }
    }
}

/// How long the request is that begins here, once its head, or its last chunk, has come.
fn length_of_request(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
    if text.contains("transfer-encoding: chunked") {
        let end = bytes[head..].windows(5).position(|five| five == b"0\r\n\r\n")?;
        return Some(head + end + 5);
    }
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    Some(head + length.unwrap_or(0))
}
