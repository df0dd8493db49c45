# SPDX-License-Identifier: BSD-3-Clause
"""smtpd.conf for the servers of servers.py."""

# As a widespread guide prints it, wrong prefixes included, but for the engine,
# the address and the password of the database.
GUIDE = """\
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: {engine}
password_format: crypt
mech_list: LOGIN PLAIN
sql_engine: {engine}
sql_hostnames: {address}
sql_database: {database}
sql_user: {user}
sql_passwd: {password}
sql_select: SELECT password FROM mailbox WHERE local_part='%u' AND active='1'
"""

BY_NAME = "SELECT password FROM mailbox WHERE local_part = '%u' AND active = '1'"


def guide(database, address=None):
    return GUIDE.format(engine=database.engine, address=address or database.address,
                        database=database.database, user=database.user,
                        password=database.password)


def canonical(database, hosts=None, **options):
    """The one that we recommend, with a short timeout. `options` replaces and adds;
    None leaves one out."""
    settings = {
        "pwcheck_method": "auxprop",
        "auxprop_plugin": "sqlcrypt",
        "mech_list": "PLAIN LOGIN",
        "password_format": "crypt",
        "sql_engine": database.engine,
        "sql_hostnames": hosts or database.address,
        "sql_user": database.user,
        "sql_passwd": database.password,
        "sql_database": database.database,
        "sql_select": BY_NAME,
        "sql_timeout": "1",
        **options,
    }
    return "".join(f"{name}: {value}\n" for name, value in settings.items() if value is not None)
