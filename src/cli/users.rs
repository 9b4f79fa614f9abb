//! `rookery user`: adds and changes users, straight in the store that the settings name.

use std::{io::Read as _, sync::Arc};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};

use super::table::Table;
use crate::{
    actors::clock,
    app::stores::People,
    auth::{Accounts, AuthError, NewAccount},
    config::{Config, Live, Overrides},
    store::{
        Directory, Range,
        record::{PlatformRole, User, UserPatch},
    },
};

/// What `rookery user` takes.
#[derive(Args)]
#[command(after_help = "\
A server with an embedded store must be stopped. A cluster's store may be in use: nodes take no login of somebody who was \
shut out, and no ended one, after four seconds; but connections that are open stay. `rookery admin disable` closes them.")]
pub(super) struct UserArguments {
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Subcommand)]
enum UserCommand {
    /// Add a user
    Add {
        /// The handle
        handle: String,
        #[command(flatten)]
        password: PasswordArguments,
        /// The name that others see
        #[arg(long)]
        name: Option<String>,
        /// May operate the server
        #[arg(long)]
        admin: bool,
        #[command(flatten)]
        overrides: Overrides,
    },
    /// List users
    List {
        /// Only those whose handle or name holds this
        #[arg(default_value = "")]
        query: String,
        #[command(flatten)]
        overrides: Overrides,
    },
    /// Give a user another password; ends all of their logins
    Passwd {
        /// The handle
        handle: String,
        #[command(flatten)]
        password: PasswordArguments,
        #[command(flatten)]
        overrides: Overrides,
    },
    /// Shut a user out, or let them in again
    Disable {
        /// The handle
        handle: String,
        /// Let them in again
        #[arg(long)]
        undo: bool,
        #[command(flatten)]
        overrides: Overrides,
    },
}

#[derive(Args)]
struct PasswordArguments {
    /// The password; better in the environment or on standard input, since others can read a command line
    #[arg(long, env = "ROOKERY_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// Read the password from standard input
    #[arg(long, conflicts_with = "password")]
    password_stdin: bool,
}

impl PasswordArguments {
    fn read(self) -> anyhow::Result<String> {
        if self.password_stdin {
            let mut text = String::new();
            std::io::stdin().lock().take(4_096).read_to_string(&mut text).context("the password on standard input")?;
            return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
        }
        self.password.context("give the password by --password-stdin or in ROOKERY_PASSWORD")
    }
}

/// Runs it.
///
/// # Errors
/// The store is in use or cannot be read, or the user cannot be changed like this.
pub(super) fn run(arguments: UserArguments) -> anyhow::Result<()> {
    match arguments.command {
        UserCommand::Add { handle, password, name, admin, overrides } => {
            let role = if admin { PlatformRole::Admin } else { PlatformRole::User };
            let account = NewAccount { handle, password: password.read()?, display_name: name, email: None, role };
            with_store(&overrides, async |desk| desk.add(account).await)
        }
        UserCommand::List { query, overrides } => with_store(&overrides, async |desk| desk.list(query).await),
        UserCommand::Passwd { handle, password, overrides } => {
            let password = password.read()?;
            with_store(&overrides, async |desk| {
                let user = desk.find(&handle).await?;
                let ended = desk.accounts.reset_password(user.id, &password).await.map_err(told)?;
                println!("{} has another password; {} logins ended", user.handle, ended.len());
                Ok(())
            })
        }
        UserCommand::Disable { handle, undo, overrides } => with_store(&overrides, async |desk| {
            let user = desk.find(&handle).await?;
            let patch = UserPatch { disabled: Some(!undo), ..UserPatch::default() };
            desk.directory.update_user(user.id, patch).await?;
            if !undo {
                desk.directory.revoke_devices(user.id, None).await?;
            }
            println!("{} is {}", user.handle, if undo { "let in again" } else { "shut out" });
            Ok(())
        }),
    }
}

/// What is needed to change users.
struct Desk {
    directory: Arc<dyn Directory>,
    accounts: Accounts,
}

fn with_store(overrides: &Overrides, work: impl AsyncFnOnce(&Desk) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let loaded = Config::load(overrides)?;
    super::block_on(async {
        let people = People::open(&loaded.config).await?;
        let directory = people.directory();
        let live = Arc::new(Live::new(loaded));
        let accounts = Accounts::new(Arc::clone(&directory), live).map_err(anyhow::Error::msg)?;
        let outcome = work(&Desk { directory, accounts }).await;
        people.close().await;
        outcome
    })?
}

impl Desk {
    async fn add(&self, account: NewAccount) -> anyhow::Result<()> {
        let user = self.accounts.create(account, clock::now()).await.map_err(told)?;
        println!("{} {}", user.id, user.handle);
        Ok(())
    }

    async fn list(&self, query: String) -> anyhow::Result<()> {
        let mut table = Table::new(&["id", "handle", "name", "role", "state"]);
        let mut after = None;
        loop {
            let page = self.directory.search_users(query.clone(), true, Range { after, limit: 200 }).await?;
            for user in page.items {
                let role = if user.role == PlatformRole::Admin { "admin" } else { "user" };
                let state = if user.disabled { "disabled" } else { "" };
                table.row(vec![user.id.to_string(), user.handle, user.display_name, role.into(), state.into()]);
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        print!("{table}");
        Ok(())
    }

    async fn find(&self, handle: &str) -> anyhow::Result<User> {
        let folded = rookery_core::text::handle(handle).map_err(|refusal| anyhow::anyhow!("{}", refusal.detail))?;
        match self.directory.user_by_handle(folded.folded).await? {
            Some(user) => Ok(user),
            None => bail!("there is no user {handle}"),
        }
    }
}

fn told(error: AuthError) -> anyhow::Error {
    match error {
        AuthError::Refused(refusal) => match refusal.field {
            Some(field) => anyhow::anyhow!("{field}: {}", refusal.detail),
            None => anyhow::anyhow!("{}", refusal.detail),
        },
        AuthError::Store(error) => error.into(),
    }
}
