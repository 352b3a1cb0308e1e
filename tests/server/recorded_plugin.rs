//! A plugin that keeps every byte that it gets, and answers with the bytes that it was given.

use std::{
    io,
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{Stream, StreamExt as _, stream};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, UnixListener},
    sync::{Notify, mpsc},
    time::timeout,
};

/// How long nothing can be written before the reader counts as one that does not read.
const BLOCKED: Duration = Duration::from_millis(300);

/// What the plugin does when it has a whole request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Sends the pieces, one after the other, and goes on.
    Send(Vec<Vec<u8>>),
    /// The same, and closes the connection.
    SendAndClose(Vec<Vec<u8>>),
    /// Sends a body of JSON, and closes the connection when it is notified.
    SendAndCloseLater(&'static str, Arc<Notify>),
    /// Sends so many bytes of a body.
    Long(usize),
    /// Sends nothing until the connection ends.
    Silence,
}

impl Answer {
    pub fn json(body: &str) -> Self {
        Self::Send(vec![json_reply(body)])
    }
}

fn json_reply(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// What happens on the plugin's connections, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Connected,
    Request(Vec<u8>),
    /// Nothing is read of a long reply, after so many bytes.
    Blocked(usize),
    Ended,
    Reset,
}

pub struct RecordedPlugin {
    pub address: String,
    answers: mpsc::UnboundedSender<Answer>,
    events: Arc<Mutex<Vec<Event>>>,
    news: Arc<Notify>,
    /// Where its socket is, if it has one.
    _place: Option<TempDir>,
}

impl RecordedPlugin {
    pub fn start() -> Self {
        let place = TempDir::new().expect("a place for the plugin");
        let path = place.path().join("plugin.sock");
        let listener = UnixListener::bind(&path).expect("the plugin binds");
        let accepted =
            stream::unfold(listener, async |listener| Some((listener.accept().await.ok()?.0, listener)));
        Self { _place: Some(place), ..Self::accepting(format!("unix:{}", path.display()), accepted) }
    }

    pub async fn on_tcp() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("the plugin binds");
        let address = listener.local_addr().expect("it is bound");
        let accepted =
            stream::unfold(listener, async |listener| Some((listener.accept().await.ok()?.0, listener)));
        Self::accepting(format!("tcp://{address}"), accepted)
    }

    fn accepting<S>(address: String, accepted: impl Stream<Item = S> + Send + 'static) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
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
            let mut accepted = pin!(accepted);
            while let Some(stream) = accepted.next().await {
                let (queue, record) = (Arc::clone(&queue), record.clone());
                tokio::spawn(async move {
                    record(Event::Connected);
                    let ended = serve(stream, &queue, &record).await;
                    let reset = ended.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset);
                    record(if reset { Event::Reset } else { Event::Ended });
                });
            }
        });
        Self { address, answers, events, news, _place: None }
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

    /// Counts from now on.
    pub fn forget_events(&self) {
        self.events.lock().expect("no one panicked").clear();
    }

    /// How often an event has happened.
    pub fn count(&self, event: &Event) -> usize {
        self.events().iter().filter(|one| *one == event).count()
    }

    /// Waits until an event has happened so many times.
    pub async fn wait_for(&self, event: &Event, times: usize) {
        let happened = async {
            loop {
                let news = self.news.notified();
                if self.count(event) >= times {
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
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    queue: &tokio::sync::Mutex<mpsc::UnboundedReceiver<Answer>>,
    record: &impl Fn(Event),
) -> io::Result<()> {
    let mut bytes = Vec::new();
    loop {
        while length_of_request(&bytes).is_none_or(|length| bytes.len() < length) {
            if stream.read_buf(&mut bytes).await? == 0 {
                return Ok(());
            }
        }
        let rest = bytes.split_off(length_of_request(&bytes).expect("the request is whole"));
        record(Event::Request(std::mem::replace(&mut bytes, rest)));
        let Some(answer) = queue.lock().await.recv().await else { return Ok(()) };
        let (pieces, goes_on) = match answer {
            Answer::Send(pieces) => (pieces, true),
            Answer::SendAndClose(pieces) => (pieces, false),
            Answer::SendAndCloseLater(body, close) => {
                stream.write_all(&json_reply(body)).await?;
                close.notified().await;
                return Ok(());
            }
            Answer::Silence => {
                while stream.read_buf(&mut bytes).await? > 0 {}
                return Ok(());
            }
            Answer::Long(length) => {
                send_long(&mut stream, length, record).await?;
                continue;
            }
        };
        for piece in pieces {
            stream.write_all(&piece).await?;
            // Let the pieces arrive one by one.
            tokio::task::yield_now().await;
        }
        if !goes_on {
            return Ok(());
        }
    }
}

/// Sends a reply with a long body, and records where its reader once does not read it.
async fn send_long(
    stream: &mut (impl AsyncWrite + Unpin),
    length: usize,
    record: &impl Fn(Event),
) -> io::Result<()> {
    stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").as_bytes()).await?;
    let piece = vec![b'x'; 64 * 1024];
    let (mut sent, mut blocked) = (0, false);
    while sent < length {
        let rest = &piece[..piece.len().min(length - sent)];
        match timeout(BLOCKED, stream.write(rest)).await {
            Ok(written) => sent += written?,
            Err(_) if blocked => {}
            Err(_) => {
                record(Event::Blocked(sent));
                blocked = true;
            }
        }
    }
    Ok(())
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
