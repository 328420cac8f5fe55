"$P" startproject proj; cd proj; "$P" genspider other localhost; cat > proj/spiders/s.py <<'Q'
import os, scrapy
class S(scrapy.Spider):
    name = "s"
    start_urls = [os.environ["SITE"] + "/index.html"]
    custom_settings = {"ROBOTSTXT_OBEY": False, "DOWNLOAD_DELAY": 0}
    def parse(self, response):
        yield {"title": response.css("title::text").get()}
        yield from response.follow_all(css="a")
Q
"$P" list | grep other; "$P" crawl s -O out.json; grep 'Page 2' out.json
"$P" shell -c 'response.css("title::text").get()' "$SITE/p1.html" | grep 'Page 1'
