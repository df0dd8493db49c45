/* SPDX-License-Identifier: BSD-3-Clause */
#include "sql/sql_hosts.h"

#include "support/unit.h"

enum { MOST_HOSTS = 4 };

struct want {
    const char *name;
    unsigned port;
    const char *label;
};

static const struct listing {
    const char *name;
    const char *list;
    size_t want_count;
    struct want want[MOST_HOSTS];
} listings[] = {
    {"empty", "", 1, {{"", 0, "the default host"}}},
    {"blanks", " \t ", 1, {{"", 0, "the default host"}}},
    {"commas", ",, ,", 1, {{"", 0, "the default host"}}},
    {"name", "db1.example.com", 1, {{"db1.example.com", 0, "db1.example.com"}}},
    {"name with a port", "db1:5433", 1, {{"db1", 5433, "db1:5433"}}},
    {"IPv4", "192.0.2.1", 1, {{"192.0.2.1", 0, "192.0.2.1"}}},
    {"IPv4 with a port", "192.0.2.1:3307", 1, {{"192.0.2.1", 3307, "192.0.2.1:3307"}}},
    {"IPv6", "2001:db8::1", 1, {{"2001:db8::1", 0, "2001:db8::1"}}},
    {"shortest IPv6", "::1", 1, {{"::1", 0, "::1"}}},
    {"IPv6 that ends like a port", "::5432", 1, {{"::5432", 0, "::5432"}}},
    {"IPv6 in brackets", "[2001:db8::1]", 1, {{"2001:db8::1", 0, "2001:db8::1"}}},
    {"IPv6 with a port", "[2001:db8::1]:5433", 1, {{"2001:db8::1", 5433, "[2001:db8::1]:5433"}}},
    {"IPv6 with a scope",
     "[fe80::1%eth0]:5433",
     1,
     {{"fe80::1%eth0", 5433, "[fe80::1%eth0]:5433"}}},
    {"name in brackets", "[db1]:5433", 1, {{"db1", 5433, "db1:5433"}}},
    {"path", "/run/postgresql", 1, {{"/run/postgresql", 0, "/run/postgresql"}}},
    {"path with a port",
     "/run/postgresql:5433",
     1,
     {{"/run/postgresql", 5433, "/run/postgresql:5433"}}},
    {"path with a colon",
     "/run/a:b/mysqld.sock",
     1,
     {{"/run/a:b/mysqld.sock", 0, "/run/a:b/mysqld.sock"}}},
    {"path with a colon and a port", "/run/a:b:5433", 1, {{"/run/a:b", 5433, "/run/a:b:5433"}}},
    {"path with an at sign", "/run/a@b", 1, {{"/run/a@b", 0, "/run/a@b"}}},
    {"path with no port", "/run/a:0", 1, {{"/run/a:0", 0, "/run/a:0"}}},
    {"path that ends in a colon", "/run/a:", 1, {{"/run/a:", 0, "/run/a:"}}},
    {"hosts with names of Postfix's prefixes",
     "inet:5432 unix proxy:1 inet.example.com:7",
     4,
     {{"inet", 5432, "inet:5432"},
      {"unix", 0, "unix"},
      {"proxy", 1, "proxy:1"},
      {"inet.example.com", 7, "inet.example.com:7"}}},
    {"root", "/", 1, {{"/", 0, "/"}}},
    {"lowest port", "db1:1", 1, {{"db1", 1, "db1:1"}}},
    {"highest port", "db1:65535", 1, {{"db1", 65535, "db1:65535"}}},
    {"port with zeros in front", "db1:05432", 1, {{"db1", 5432, "db1:5432"}}},
    {"commas between", "a,b,c", 3, {{"a", 0, "a"}, {"b", 0, "b"}, {"c", 0, "c"}}},
    {"blanks between", "a b\tc", 3, {{"a", 0, "a"}, {"b", 0, "b"}, {"c", 0, "c"}}},
    {"both between and around",
     " , a:1 , [::1]:2,/x ,,",
     3,
     {{"a", 1, "a:1"}, {"::1", 2, "[::1]:2"}, {"/x", 0, "/x"}}},
    {"the same twice", "a a", 2, {{"a", 0, "a"}, {"a", 0, "a"}}},
};

static void read_list(void **state)
{
    const struct listing *row = *state;
    struct sql_hosts hosts = {NULL, 99};
    struct reason reason = {"(none)"};
    size_t i;

    if (!sql_hosts_read(&hosts, row->list, &reason)) {
        print_error("%s\n", reason.text);
        fail();
    }
    assert_int_equal(hosts.count, row->want_count);
    for (i = 0; i < hosts.count; i++) {
        assert_string_equal(hosts.items[i].name, row->want[i].name);
        assert_int_equal(hosts.items[i].port, row->want[i].port);
        assert_string_equal(hosts.items[i].label, row->want[i].label);
        assert_int_equal(sql_hosts_is_path(&hosts.items[i]), row->want[i].name[0] == '/');
    }
    sql_hosts_free(&hosts);
    assert_null(hosts.items);
    assert_int_equal(hosts.count, 0);
}

static const struct refusal {
    const char *name;
    const char *list;
    const char *want_named; /* the entry that is at fault */
} refusals[] = {
    {"port alone", ":5432", "\":5432\""},
    {"colon alone", ":", "\":\""},
    {"no port behind the colon", "db1:", "\"db1:\""},
    {"port of letters", "db1:port", "\"db1:port\""},
    {"port and letters", "db1:5432x", "\"db1:5432x\""},
    {"port 0", "db1:0", "\"db1:0\""},
    {"port too high", "db1:65536", "\"db1:65536\""},
    {"port much too high", "db1:4294972728", "\"db1:4294972728\""},
    {"signed port", "db1:+5432", "\"db1:+5432\""},
    {"negative port", "db1:-1", "\"db1:-1\""},
    {"bracket not closed", "[::1", "\"[::1\""},
    {"bracket with a port not closed", "[::1:5432", "\"[::1:5432\""},
    {"brackets around nothing", "[]", "\"[]\""},
    {"brackets around nothing with a port", "[]:5432", "\"[]:5432\""},
    {"text behind the bracket", "[::1]5432", "\"[::1]5432\""},
    {"text and a port behind the bracket", "[::1]x:5432", "\"[::1]x:5432\""},
    {"no port behind the bracket", "[::1]:", "\"[::1]:\""},
    {"port of letters behind the bracket", "[::1]:x", "\"[::1]:x\""},
    {"second entry", "db1, db2:x, db3", "\"db2:x\""},
    {"last entry", "db1 db2 :1", "\":1\" is not a host"},
    {"Postfix's way", "inet:localhost", "\"inet:localhost\": write the host alone"},
    {"Postfix's way with a port", "inet:127.0.0.1:3306", "\"inet:127.0.0.1:3306\": write the host"},
    {"Postfix's way in other letters", "db1 INET:db2", "\"INET:db2\": write the host alone"},
    {"a URL", "tcp://db1", "write hosts alone, no URL and no @"},
    {"Postfix's way to a socket", "unix:/run/a", "\"unix:/run/a\": write the path alone"},
    {"a table of Postfix", "proxy:mysql:/etc/a.cf",
     "\"proxy:mysql:/etc/a.cf\": write the host, not"},
    {"prefix alone", "inet:", "\"inet:\" is not a host"},
    {"user and password", "db1 postgresql://mail:secret@db2/mail",
     "write hosts alone, no URL and no @"},
    {"a URL that a comma cuts", "postgresql://mail:sec,ret@db2",
     "write hosts alone, no URL and no @"},
    {"user and password after a prefix", "tcp:mail:secret@db2",
     "write hosts alone, no URL and no @"},
};

static void refuse_list(void **state)
{
    const struct refusal *row = *state;
    struct sql_hosts hosts = {NULL, 99};
    struct reason reason = {"(none)"};

    assert_false(sql_hosts_read(&hosts, row->list, &reason));
    assert_contains(reason.text, row->want_named);
    assert_lacks(reason.text, "secret");
    assert_null(hosts.items);
    assert_int_equal(hosts.count, 0);
    sql_hosts_free(&hosts);
}

static void read_many(void **state)
{
    enum { MANY = 1000 };
    char *list = calloc(MANY, 8);
    struct sql_hosts hosts;
    struct reason reason;
    char name[8];
    size_t i;

    (void)state;
    assert_non_null(list);
    for (i = 0; i < MANY; i++)
        sprintf(list + strlen(list), "h%zu,", i);
    assert_true(sql_hosts_read(&hosts, list, &reason));
    free(list);
    assert_int_equal(hosts.count, MANY);
    for (i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "h%zu", i);
        assert_string_equal(hosts.items[i].name, name);
    }
    sql_hosts_free(&hosts);
}

static void free_of_nothing(void **state)
{
    struct sql_hosts hosts = {NULL, 0};

    (void)state;
    sql_hosts_free(&hosts);
    sql_hosts_free(&hosts);
    assert_null(hosts.items);
}

int main(void)
{
    struct test_list list = {0};

    TEST_ADD_CASES(&list, read_list, listings);
    TEST_ADD_CASES(&list, refuse_list, refusals);
    TEST_ADD(&list, read_many);
    TEST_ADD(&list, free_of_nothing);
    return test_run("sql_hosts", &list);
}
