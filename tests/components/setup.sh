#!/bin/bash
# Builds what tests run and no package holds: OpenSearch and Elasticsearch nodes from Maven Central (needs mvn and JDK 17), the
# reference Lumberjack server and kube-state-metrics from Go modules (need go 1.19).
#   setup.sh [opensearch|elasticsearch|lumberjack|kube_state_metrics [DESTINATION]]
# Without arguments it builds all. The result is cached in DESTINATION (default build/components/NAME) and built again only when the
# sources beside this script change. Prints the destination.
#   opensearch:     java ... -cp 'DEST/classes:DEST/lib/*' OsNode HOME PORT [key=value ...]
#   elasticsearch:  java ... --module-path DEST/server --add-modules ALL-MODULE-PATH -cp DEST/classes EsNode HOME PORT [key=value ...]
#                   where HOME/modules is a copy of DEST/modules
#   lumberjack:     DEST/lumberjack-server -h
#   kube_state_metrics:  DEST/kube-state-metrics --help
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ $# -eq 0 ]; then
  "$here/setup.sh" opensearch
  "$here/setup.sh" lumberjack
  "$here/setup.sh" kube_state_metrics
  exec "$here/setup.sh" elasticsearch
fi
name=$1
dest=${2:-$here/../../build/components/$name}
source_dir=$here/$name
[ -d "$source_dir" ] || { echo "setup.sh: no component $name" >&2; exit 2; }

stamp=$(cat "$source_dir"/* "$here/setup.sh" | sha256sum | cut -d' ' -f1)
mkdir -p "$dest"
dest=$(cd "$dest" && pwd)
exec 9>"$dest/.lock"
flock 9
if [ "$(cat "$dest/.stamp" 2>/dev/null || true)" = "$stamp" ]; then
  echo "$dest"
  exit 0
fi
if [ -e "$source_dir/go.mod" ]; then
  command -v go >/dev/null || { echo "setup.sh: go is missing (apt-get install golang-go)" >&2; exit 3; }
  case $name in
    lumberjack) (cd "$source_dir" && go build -buildvcs=false -o "$dest/lumberjack-server" .) >&2 ;;
    kube_state_metrics)
      (cd "$source_dir" && go build -buildvcs=false -ldflags '-s -w' -o "$dest/kube-state-metrics" k8s.io/kube-state-metrics/v2) >&2 ;;
  esac
  echo "$stamp" >"$dest/.stamp"
  echo "$dest"
  exit 0
fi
for tool in mvn javac; do
  command -v "$tool" >/dev/null || { echo "setup.sh: $tool is missing (apt-get install maven openjdk-17-jdk-headless)" >&2; exit 3; }
done

rm -rf "${dest:?}"/{lib,server,modules,classes}
mkdir -p "$dest/classes"
mvn -q -B -f "$source_dir/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
  -DincludeScope=runtime -DoutputDirectory="$dest/lib" >&2
cp "$source_dir/log4j2.properties" "$dest/classes/"
case $name in
  opensearch)
    javac -cp "$dest/lib/*" -d "$dest/classes" "$source_dir/OsNode.java" ;;
  elasticsearch)
    # Elasticsearch loads its transport as a module from its home, everything else from the module path.
    netty=$dest/modules/transport-netty4
    mkdir -p "$netty"
    mv "$dest/lib" "$dest/server"
    mv "$dest"/server/transport-netty4-*.jar "$dest"/server/netty-*.jar "$netty/"
    python3 - "$netty" <<'PY'
import glob, sys, zipfile
folder = sys.argv[1]
jar = glob.glob(folder + "/transport-netty4-*.jar")[0]
with zipfile.ZipFile(jar) as z, open(folder + "/plugin-descriptor.properties", "wb") as out:
    out.write(z.read("META-INF/es-plugins/transport-netty4/plugin-descriptor.properties"))
PY
    javac -cp "$dest/server/*" -d "$dest/classes" "$source_dir/EsNode.java" ;;
esac
echo "$stamp" >"$dest/.stamp"
echo "$dest"
