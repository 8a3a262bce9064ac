"""Talks to Elasticsearch for scripts/quickstart.

usage: quickstart_report.py templates|arrived|show
  templates  puts data-stream templates for logs-*-* and metrics-*-* where no template matches
  arrived    exit 0 if every line of the run and every metric set has been found
  show       prints the counts and a document of each kind; exit 1 as for "arrived"

environment: QUICKSTART_URL, QUICKSTART_RUN (a word in every line of the run), QUICKSTART_LOGS (the
directory with the lines), QUICKSTART_SINCE (start of the run), and ELASTICSEARCH_USERNAME and
ELASTICSEARCH_PASSWORD for a server that asks for them.
"""

import base64
import collections
import json
import os
import sys
import urllib.error
import urllib.request

SETS = ("cpu", "load", "memory", "network")
LOG_STREAM = "logs-quickstart-default"
HOST_STREAM = "logs-host-default"

# No proxy: a server named on the command line is meant literally.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(method, path, body=None):
    """One request; returns (status, decoded answer)."""
    url = os.environ["QUICKSTART_URL"].rstrip("/")
    if "://" not in url:
        url = "http://" + url
    request = urllib.request.Request(url + path, method=method)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    user = os.environ.get("ELASTICSEARCH_USERNAME")
    if user:
        pair = f"{user}:{os.environ.get('ELASTICSEARCH_PASSWORD', '')}"
        request.add_header("Authorization", "Basic " + base64.b64encode(pair.encode()).decode())
    try:
        with OPENER.open(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except OSError as error:
        sys.exit(f"quickstart: {url}: {error}")


def search(stream, query, **more):
    """The hits of a search and their total; nothing where the stream does not exist yet."""
    call("POST", f"/{stream}/_refresh")
    body = {"query": query, "track_total_hits": True, **more}
    status, answer = call("POST", f"/{stream}/_search", body)
    if status == 404:
        return [], 0
    if status != 200:
        sys.exit(f"quickstart: searching {stream}: status {status}: {answer}")
    return answer["hits"]["hits"], answer["hits"]["total"]["value"]


def lines_of_run():
    """The query for the lines of this run."""
    return {"match": {"message": os.environ["QUICKSTART_RUN"]}}


def since_start(stream, **more):
    """Searches what came in since the start of the run, newest first."""
    query = {"range": {"@timestamp": {"gte": os.environ["QUICKSTART_SINCE"]}}}
    return search(stream, query, sort=[{"@timestamp": "desc"}], **more)


def put_templates():
    """A real cluster has these built in; the small test distribution has not."""
    for kind in ("logs", "metrics"):
        _, found = call("POST", f"/_index_template/_simulate_index/{kind}-quickstart-default")
        if isinstance(found, dict) and found.get("template"):
            print(f"{kind}-*-*: the server has a template")
            continue
        keywords = {"match_mapping_type": "string",
                    "mapping": {"type": "keyword", "ignore_above": 1024}}
        template = {
            "index_patterns": [f"{kind}-*-*"],
            "data_stream": {},
            "priority": 1,
            "template": {
                "settings": {"number_of_replicas": 0},
                "mappings": {
                    "date_detection": False,
                    "dynamic_templates": [{"strings": keywords}],
                    "properties": {"@timestamp": {"type": "date"}, "message": {"type": "text"}},
                },
            },
        }
        status, answer = call("PUT", f"/_index_template/wherry-quickstart-{kind}", template)
        if status != 200:
            sys.exit(f"quickstart: putting the template for {kind}-*-*: status {status}: {answer}")
        print(f"{kind}-*-*: put template wherry-quickstart-{kind}")


def written_lines():
    """The lines that the writers wrote, with how often each."""
    written = collections.Counter()
    for entry in os.scandir(os.environ["QUICKSTART_LOGS"]):
        with open(entry.path, encoding="utf-8") as lines:
            written.update(line.rstrip("\n") for line in lines)
    return written


def found_lines():
    """The lines of the run that Elasticsearch has, with how often each."""
    hits, _ = search(LOG_STREAM, lines_of_run(), size=10000, _source=["message"])
    return collections.Counter(hit["_source"]["message"] for hit in hits)


def metric_counts():
    """How many documents of each metric set have come in since the start of the run."""
    return {name: since_start(f"metrics-system.{name}-default", size=0)[1] for name in SETS}


def arrived():
    """Is everything there?"""
    _, total = search(LOG_STREAM, lines_of_run(), size=0)
    return total >= written_lines().total() and all(metric_counts().values())


def show_sample(title, hits):
    """Prints one document as it stands in Elasticsearch."""
    for hit in hits[:1]:
        print(f"\n-- a {title} document")
        print(json.dumps({key: hit[key] for key in ("_index", "_id", "_source")}, indent=2))


def show():
    """Prints counts and samples; was everything there?"""
    written, found, metrics = written_lines(), found_lines(), metric_counts()
    missing = written - found
    extra = found - written
    host_hits, host_total = search(HOST_STREAM, {"match_all": {}}, size=1)
    print(f"log lines written       {written.total():6}")
    print(f"log lines found         {found.total():6}   "
          f"missing {missing.total()}, repeated or foreign {extra.total()}")
    print(f"lines of /var/log/*.log {host_total:6}")
    for name, count in metrics.items():
        print(f"metrics of {name:12} {count:6}")
    show_sample("log", search(LOG_STREAM, lines_of_run(), size=1)[0])
    show_sample("host log", host_hits)
    for name in SETS:
        show_sample(f"{name} metrics", since_start(f"metrics-system.{name}-default", size=1)[0])
    return written.total() > 0 and not missing and not extra and all(metrics.values())


def main():
    """Runs the verb."""
    verb = sys.argv[1]
    if verb == "templates":
        put_templates()
        return 0
    return 0 if {"arrived": arrived, "show": show}[verb]() else 1


if __name__ == "__main__":
    sys.exit(main())
