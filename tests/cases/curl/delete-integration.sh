curl -s -H "Authorization: Bearer $ACCESS_TOKEN" https://connect.reportei.com/customer-integrations/{$uuid}
