"""The client commands: the same SQL any client would send, over the same port, for people who have no client.

A door of its own: it speaks the MySQL protocol to a server that may be on another machine and imports nothing that
serves. The modules are light to import (click and the standard library); pymysql, rich and the statements come in when
a command runs, so `holdfast --help` stays quick. docs/cli.md promises the exit codes and the JSON.
"""
